package peers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Requests of one transaction, and the offsets after them. */
final class Batch {
    private final List<Request> requests = new ArrayList<>();
    private final Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    private int keys;

    void add(ConsumerRecord<byte[], byte[]> record, Request request) {
        requests.add(request);
        keys += request.keys().length;
        var place = new TopicPartition(record.topic(), record.partition());
        offsets.put(place, new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), ""));
    }

    /** As many as were asked for, repeated ones too. */
    int size() {
        return keys;
    }

    boolean isEmpty() {
        return requests.isEmpty();
    }

    List<Request> requests() {
        return requests;
    }

    Map<TopicPartition, OffsetAndMetadata> offsets() {
        return offsets;
    }
}
