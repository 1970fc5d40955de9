package peers;

import static peers.AvroBytes.NULL;
import static peers.AvroBytes.SET;

import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.io.BinaryEncoder;

/** RequestStatus and KeyOutcome, of one request after the other. */
final class HistoryWriter {
    private final AvroBytes statuses;
    private final AvroBytes ended;
    private final AvroBytes sent;
    private final int accepted;
    private final Map<Decision.Status, Integer> symbols = new EnumMap<>(Decision.Status.class);
    /** What all outcomes of the request begin with. */
    private byte[] head;
    /** What all outcomes that send nothing end with. */
    private byte[] tail;

    HistoryWriter(Config.Written status, Config.Written outcome) {
        var statusSchema = status.parse();
        var outcomeSchema = outcome.parse();
        statuses = new AvroBytes(statusSchema, status.id());
        ended = new AvroBytes(outcomeSchema, outcome.id());
        sent = new AvroBytes(outcomeSchema, outcome.id());
        accepted = statusSchema.getField("state").schema().getEnumOrdinal("ACCEPTED");
        for (var each : Decision.Status.values()) {
            symbols.put(each, outcomeSchema.getField("status").schema().getEnumOrdinal(each.name()));
        }
    }

    void begin(Request request, long nowMicros) throws IOException {
        head = AvroBytes.part(to -> {
            to.writeBytes(request.id());
            to.writeBytes(request.district());
            to.writeBytes(request.object());
        });
        tail = AvroBytes.part(to -> end(to, List.of(), null, nowMicros));
    }

    byte[] accepted(Request request, long nowMicros) throws IOException {
        return statuses.of(to -> {
            to.writeFixed(request.beforeKeys());
            to.writeIndex(Request.KEYS);
            AvroBytes.texts(to, List.of());
            to.writeFixed(request.afterKeys());
            to.writeEnum(accepted);
            to.writeIndex(NULL); // reason
            to.writeIndex(NULL); // detail
            to.writeLong(request.keys().length);
            to.writeLong(nowMicros); // decided_at
            to.writeIndex(NULL); // guard
            to.writeIndex(NULL); // planned
            to.writeIndex(NULL); // decided_by
        });
    }

    byte[] ended(byte[] key, byte[] asked, Decision.Status status) throws IOException {
        return ended.of(to -> {
            begin(to, key, asked, status);
            to.writeFixed(tail);
        });
    }

    byte[] sent(byte[] key, byte[] asked, List<byte[]> changed, byte[] correctionId, long nowMicros)
            throws IOException {
        return sent.of(to -> {
            begin(to, key, asked, Decision.Status.SENT);
            end(to, changed, correctionId, nowMicros);
        });
    }

    private void begin(BinaryEncoder to, byte[] key, byte[] asked, Decision.Status status) throws IOException {
        to.writeFixed(head);
        to.writeBytes(key);
        to.writeIndex(SET);
        to.writeBytes(asked);
        to.writeEnum(symbols.get(status));
    }

    /** `correctionId` is null where nothing was sent. */
    private static void end(BinaryEncoder to, List<byte[]> changed, byte[] correctionId, long nowMicros)
            throws IOException {
        to.writeIndex(NULL); // reason
        to.writeIndex(NULL); // detail
        AvroBytes.texts(to, changed);
        to.writeIndex(NULL); // parent
        if (correctionId == null) {
            to.writeIndex(NULL);
        } else {
            to.writeIndex(SET);
            to.writeBytes(correctionId);
        }
        to.writeLong(1); // attempt
        to.writeLong(nowMicros); // first_decided_at
        if (correctionId == null) {
            to.writeIndex(NULL);
        } else {
            to.writeIndex(SET);
            to.writeLong(nowMicros); // sent_at
        }
        to.writeIndex(NULL); // answered_at
        to.writeLong(nowMicros); // decided_at
    }
}
