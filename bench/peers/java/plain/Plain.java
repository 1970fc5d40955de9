package peers;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A consumer and a transactional producer, pipelined: while a batch is encoded and committed, the next one is looked up
 * and the one after that is read. Whatever fails ends the process; restarted, it goes on from the committed offsets.
 */
final class Plain implements AutoCloseable, ConsumerRebalanceListener {
    private static final int IN_FLIGHT = 3;
    private static final Duration IDLE = Duration.ofMillis(100);
    private static final Duration BUSY = Duration.ofMillis(1);

    private final Config config;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Request.Reader reader;
    private final Districts digests;
    private final Districts rows;
    private final Transactions transactions;
    private final ExecutorService writer = Executors.newSingleThreadExecutor();
    /** One for each batch that may be in flight. */
    private final Semaphore room = new Semaphore(IN_FLIGHT);
    private Batch batch = new Batch();
    private volatile Throwable failure;

    Plain(Config config) throws IOException, SQLException {
        this.config = config;
        reader = new Request.Reader(config.schemas().request());
        digests = new Districts(config);
        rows = new Districts(config); // else a batch's rows would wait for the next one's digests
        transactions = new Transactions(config);
        var bytes = new ByteArrayDeserializer();
        consumer = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", config.bootstrap(),
                "group.id", config.group(),
                // A member that was killed has its partitions again as soon as it is back.
                "group.instance.id", config.transactionalId(),
                "isolation.level", "read_committed",
                "enable.auto.commit", false,
                "auto.offset.reset", "earliest",
                "max.poll.records", 10_000),
                bytes, bytes);
    }

    void run(Stopping stopping) throws Exception {
        consumer.subscribe(List.of(config.topics().requests()), this);
        while (!stopping.isAsked()) {
            raiseFailure();
            for (var record : consumer.poll(isIdle() && batch.isEmpty() ? IDLE : BUSY)) {
                batch.add(record, reader.read(record.value()));
                if (batch.size() >= config.transactionKeys()) {
                    submit();
                }
            }
            // At once when there is nothing else to do; under a backlog a batch grows while others are in flight.
            if (isIdle() && !batch.isEmpty()) {
                submit();
            }
        }
        drain();
    }

    private boolean isIdle() {
        return room.availablePermits() == IN_FLIGHT;
    }

    private void submit() throws Exception {
        room.acquire();
        var submitted = batch;
        var decisions = digests.suspects(submitted.requests()).thenCompose(rows::decide);
        var group = consumer.groupMetadata();
        batch = new Batch();
        writer.execute(() -> write(submitted, decisions, group));
    }

    private void write(
            Batch written,
            CompletableFuture<Map<String, Map<Long, Decision>>> decisions,
            ConsumerGroupMetadata group) {
        try {
            if (failure == null) {
                transactions.write(written, decisions.join(), group);
            }
        } catch (IOException | RuntimeException fault) {
            failure = fault;
        } finally {
            room.release();
        }
    }

    /** Waits until nothing is in flight. */
    private void drain() throws Exception {
        room.acquire(IN_FLIGHT);
        room.release(IN_FLIGHT);
        raiseFailure();
    }

    private void raiseFailure() throws Exception {
        if (failure != null) {
            throw new Exception("a batch was not written", failure);
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        System.out.println("ready");
    }

    /** What is in flight is still ours; what was only read is read again by whoever is next. */
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        batch = new Batch();
        try {
            drain();
        } catch (Exception fault) {
            throw new IllegalStateException(fault);
        }
    }

    @Override
    public void close() throws SQLException {
        writer.shutdown();
        consumer.close();
        transactions.close();
        digests.close();
        rows.close();
    }

    public static void main(String[] arguments) {
        Stopping.run(stopping -> {
            try (var plain = new Plain(Config.read(arguments[0]))) {
                plain.run(stopping);
            }
        });
    }
}
