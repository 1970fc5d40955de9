package peers;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/** Writes batches, each in one transaction with its offsets. */
final class Transactions implements Sink, AutoCloseable {
    private final KafkaProducer<byte[], byte[]> producer;
    private final Records records;
    private final Config.Topics topics;
    private final int historyPartitions;
    private final int correctionPartitions;

    Transactions(Config config) {
        var bytes = new ByteArraySerializer();
        producer = new KafkaProducer<>(Map.of(
                "bootstrap.servers", config.bootstrap(),
                "transactional.id", config.transactionalId(),
                "compression.type", "lz4",
                "batch.size", 262_144,
                "buffer.memory", 134_217_728L,
                "linger.ms", 5,
                // The pause before a call that met the end of the last transaction is made again.
                "retry.backoff.ms", 1),
                bytes, bytes);
        producer.initTransactions();
        records = new Records(config);
        topics = config.topics();
        historyPartitions = producer.partitionsFor(topics.history()).size();
        correctionPartitions = producer.partitionsFor(topics.corrections()).size();
    }

    /**
     * Whatever it raises, nothing of the batch is visible: the next holder of the id aborts what is open.
     *
     * @param decisions by district and key
     */
    void write(Batch batch, Map<String, Map<Long, Decision>> decisions, ConsumerGroupMetadata group)
            throws IOException {
        producer.beginTransaction();
        var nowMicros = Math.multiplyExact(System.currentTimeMillis(), 1_000L);
        for (var request : batch.requests()) {
            records.write(request, decisions.get(request.districtId()), nowMicros, this);
        }
        producer.sendOffsetsToTransaction(batch.offsets(), group);
        producer.commitTransaction();
    }

    @Override
    public void history(byte[] placedBy, byte[] key, byte[] value, Header... headers) {
        send(topics.history(), partition(placedBy, historyPartitions), key, value, headers);
    }

    @Override
    public void correction(byte[] placedBy, byte[] key, byte[] value, Header... headers) {
        send(topics.corrections(), partition(placedBy, correctionPartitions), key, value, headers);
    }

    /** A failure to send fails the commit. */
    private void send(String topic, int partition, byte[] key, byte[] value, Header[] headers) {
        producer.send(new ProducerRecord<>(topic, partition, key, value, List.of(headers)));
    }

    /** As Kafka's own partitioner places a key. */
    private static int partition(byte[] key, int partitions) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    @Override
    public void close() {
        producer.close();
    }
}
