import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publish the shortest valid request and wait for its end: Publish DISTRICT OBJECT KEY... */
public final class Publish {
    static final String REQUESTS = setting("RESYNC_TOPIC_REQUESTS", "resync.requests");
    static final String HISTORY = setting("RESYNC_TOPIC_HISTORY", "resync.history");

    public static void main(String[] arguments) throws Exception {
        var servers = System.getenv("RESYNC_BOOTSTRAP_SERVERS");
        var schema = new Schema.Parser().parse(
                Files.readString(Path.of(setting("RESYNC_SCHEMAS", "schemas"), "ResyncRequest.avsc")));
        var requestId = UUID.randomUUID().toString();
        var request = request(schema, requestId, arguments);

        Map<String, Object> reading = Map.of("bootstrap.servers", servers, "isolation.level", "read_committed");
        Map<String, Object> writing = Map.of("bootstrap.servers", servers, "acks", "all", "enable.idempotence", true);
        try (var history = new KafkaConsumer<>(reading, new StringDeserializer(), new ByteArrayDeserializer());
                var producer = new KafkaProducer<>(writing, new StringSerializer(), new ByteArraySerializer())) {
            // Where the history ends now: the request's end will come after it.
            var places = history.partitionsFor(HISTORY).stream()
                    .map(found -> new TopicPartition(HISTORY, found.partition())).toList();
            history.assign(places);
            history.seekToEnd(places);
            places.forEach(history::position);

            // Avro's single-object encoding (C3 01, the schema's fingerprint, the record) needs no schema registry.
            var value = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(request);
            var bytes = new byte[value.remaining()];
            value.get(bytes);
            producer.send(new ProducerRecord<>(REQUESTS, arguments[0], bytes)).get();
            System.out.println(requestId + " " + end(history, requestId));
        }
    }

    static GenericRecord request(Schema schema, String requestId, String[] arguments) {
        var keys = schema.getField("selection").schema().getTypes().get(0);
        List<String> asked = Arrays.asList(arguments).subList(2, arguments.length);
        return new GenericRecordBuilder(schema)
                .set("request_id", requestId)
                .set("district_id", arguments[0])
                .set("object", arguments[1])
                .set("selection", new GenericRecordBuilder(keys).set("keys", asked).build())
                .set("requested_by", "example")
                .build();
    }

    /** RequestEnd has the key <request_id>/~end and tells the state in a header, so nothing has to be decoded. */
    static String end(KafkaConsumer<String, byte[]> history, String requestId) {
        for (var records = history.poll(Duration.ofSeconds(60)); !records.isEmpty();
                records = history.poll(Duration.ofSeconds(60))) {
            for (var record : records) {
                if (record.key().equals(requestId + "/~end")) {
                    return new String(record.headers().lastHeader("status").value());
                }
            }
        }
        throw new IllegalStateException("nothing came for 60 s: do the processor and the store run?");
    }

    static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
