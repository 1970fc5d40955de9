package peers;

import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Compares the keys of one request after the other. The offsets of what was processed are committed with what was
 * forwarded, and nobody tells a processor when: so what a request leads to is forwarded before the next one is taken.
 */
final class Comparing implements Processor<byte[], byte[], byte[], byte[]>, Sink {
    static final String HISTORY = "history";
    static final String CORRECTIONS = "corrections";

    private final Config config;
    private final Request.Reader reader;
    private final Records records;
    private ProcessorContext<byte[], byte[]> context;
    private Districts districts;

    Comparing(Config config) {
        this.config = config;
        reader = new Request.Reader(config.schemas().request());
        records = new Records(config);
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        try {
            districts = new Districts(config);
        } catch (SQLException fault) {
            throw new IllegalStateException(fault);
        }
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            var request = reader.read(record.value());
            var suspects = districts.suspects(List.of(request));
            var decisions = suspects.thenCompose(districts::decide).join().get(request.districtId());
            records.write(request, decisions, context.currentSystemTimeMs() * 1_000, this);
        } catch (IOException fault) {
            throw new IllegalStateException(fault);
        }
    }

    @Override
    public void history(byte[] placedBy, byte[] key, byte[] value, Header... headers) {
        forward(HISTORY, key, value, headers);
    }

    @Override
    public void correction(byte[] placedBy, byte[] key, byte[] value, Header... headers) {
        forward(CORRECTIONS, key, value, headers);
    }

    private void forward(String sink, byte[] key, byte[] value, Header[] headers) {
        context.forward(new Record<>(key, value, context.currentSystemTimeMs(), new RecordHeaders(headers)), sink);
    }

    @Override
    public void close() {
        try {
            districts.close();
        } catch (SQLException fault) {
            throw new IllegalStateException(fault);
        }
    }
}
