package peers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** What a request leads to, as records with the keys and headers that readers of the topics expect. For one thread. */
final class Records {
    private static final Header ACCEPTED = new RecordHeader("status", "ACCEPTED".getBytes(US_ASCII));
    private static final Map<Decision.Status, Header> STATUS = new EnumMap<>(Decision.Status.class);

    static {
        for (var status : Decision.Status.values()) {
            STATUS.put(status, new RecordHeader("status", status.name().getBytes(US_ASCII)));
        }
    }

    private final HistoryWriter history;
    private final CorrectionWriter corrections;
    private final CorrectionId ids = new CorrectionId();

    Records(Config config) {
        history = new HistoryWriter(config.schemas().status(), config.schemas().outcome());
        corrections = new CorrectionWriter(config.schemas().correction(), config.fieldNames());
    }

    /**
     * Its status, an outcome for each key, and a correction for each that differs.
     *
     * @param decisions of some keys; the others are in sync
     */
    void write(Request request, Map<Long, Decision> decisions, long nowMicros, Sink sink) throws IOException {
        var requestId = new RecordHeader("request_id", request.id());
        var district = new RecordHeader("district_id", request.district());
        var object = new RecordHeader("object", request.object());
        history.begin(request, nowMicros);
        var accepted = history.accepted(request, nowMicros);
        sink.history(request.id(), request.id(), accepted, requestId, district, object, ACCEPTED);
        var place = place(request);
        for (var i = 0; i < request.keys().length; i++) {
            var key = Long.toString(request.keys()[i]).getBytes(US_ASCII);
            var asked = request.asked()[i];
            var named = new RecordHeader("key", key);
            var decision = decisions.getOrDefault(request.keys()[i], Decision.IN_SYNC);
            byte[] outcome;
            if (decision.status() == Decision.Status.SENT) {
                var id = ids.of(request, key);
                var correction = corrections.correction(request, key, asked, decision, id, nowMicros);
                sink.correction(request.district(), request.district(), correction, requestId, district, object, named);
                outcome = history.sent(key, asked, decision.changed(), id, nowMicros);
            } else {
                outcome = history.ended(key, asked, decision.status());
            }
            var status = STATUS.get(decision.status());
            sink.history(request.id(), joined(place, key), outcome, requestId, district, object, named, status);
        }
    }

    /** How the keys of a request's outcomes begin. */
    private static byte[] place(Request request) {
        var text = new ByteArrayOutputStream();
        text.writeBytes(request.id());
        text.write('/');
        text.writeBytes(request.object());
        text.write('/');
        return text.toByteArray();
    }

    private static byte[] joined(byte[] one, byte[] other) {
        var both = new byte[one.length + other.length];
        System.arraycopy(one, 0, both, 0, one.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }
}
