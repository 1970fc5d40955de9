package peers;

import org.apache.kafka.common.header.Header;

/** Where records go. `placedBy` is the text that chooses the partition; its keys begin with it on both topics. */
interface Sink {
    void history(byte[] placedBy, byte[] key, byte[] value, Header... headers);

    void correction(byte[] placedBy, byte[] key, byte[] value, Header... headers);
}
