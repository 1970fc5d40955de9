package peers;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Kafka Streams, exactly once: a source, a processor, two sinks. */
final class Streams {

    private static Topology topology(Config config) {
        var in = new ByteArrayDeserializer();
        var out = new ByteArraySerializer();
        return new Topology()
                .addSource("requests", in, in, config.topics().requests())
                .addProcessor("compare", () -> new Comparing(config), "requests")
                .addSink(Comparing.CORRECTIONS, config.topics().corrections(), out, out, "compare")
                .addSink(
                        Comparing.HISTORY,
                        config.topics().history(),
                        out,
                        out,
                        (topic, key, value, partitions) -> Optional.of(Set.of(partition(key, partitions))),
                        "compare");
    }

    /** By the request's id, which all keys begin with: one request is one order. */
    private static int partition(byte[] key, int partitions) {
        var end = 0;
        while (end < key.length && key[end] != '/') {
            end++;
        }
        return Utils.toPositive(Utils.murmur2(Arrays.copyOf(key, end))) % partitions;
    }

    private static Map<String, Object> options(Config config, String stateDir) {
        return Map.of(
                "bootstrap.servers", config.bootstrap(),
                "application.id", config.group(),
                "group.instance.id", config.transactionalId(),
                "processing.guarantee", "exactly_once_v2",
                "commit.interval.ms", 100,
                "num.stream.threads", 2,
                "auto.offset.reset", "earliest",
                "state.dir", stateDir,
                "producer.compression.type", "lz4",
                "producer.batch.size", 262_144);
    }

    private static void run(Config config, String stateDir, Stopping stopping) {
        try (var streams = new KafkaStreams(topology(config), new StreamsConfig(options(config, stateDir)))) {
            streams.setUncaughtExceptionHandler(failure -> {
                stopping.fail(failure);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.setStateListener((now, before) -> {
                if (now == State.RUNNING) {
                    System.out.println("ready");
                }
            });
            streams.start();
            stopping.await();
        }
    }

    public static void main(String[] arguments) {
        Stopping.run(stopping -> run(Config.read(arguments[0]), arguments[0] + ".state", stopping));
    }
}
