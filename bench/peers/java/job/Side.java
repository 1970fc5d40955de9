package peers;

import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.postgresql.PGConnection;

/** A connection to one side's table; for one thread at a time. Keys are sorted, each there once. */
final class Side implements AutoCloseable {
    /** Statements are prepared, and their results binary, from the first on. */
    private static final String OPTIONS = "prepareThreshold=-1&ApplicationName=peer";
    /** As what a column's values are read. */
    private static final Map<String, Class<?>> TYPES = Map.of(
            "text", String.class,
            "date", LocalDate.class,
            "bool", Boolean.class,
            "int8", Long.class,
            "numeric", BigDecimal.class,
            "timestamptz", OffsetDateTime.class);

    private final Connection connection;
    private final PreparedStatement digests;
    private final PreparedStatement rows;
    private final String district;
    private final Class<?>[] types;

    /** `values[i]` is the digest of the row of the i-th key, where there is one. */
    record Digests(long[] values, boolean[] found) {}

    /** Values in the order of the fields, and of the statement's snapshot what orders it among others. */
    record Row(Object[] values, long xmax, long inProgress) {}

    Side(Config.Table table, String districtId, Config config) throws SQLException {
        district = table.districtColumn() == null ? null : districtId;
        var fields = config.fields();
        connection = DriverManager.getConnection(table.jdbc() + (table.jdbc().contains("?") ? "&" : "?") + OPTIONS);
        try (var session = connection.createStatement()) {
            // One plan for all: else the server makes one for each array, and looks at all its keys for that.
            session.execute("set plan_cache_mode = force_generic_plan");
        }
        var columns = String.join(", ", fields.stream().map(Config.Field::column).toList());
        var where = " from " + table.name() + " where " + table.key() + " = any(?)"
                + (district == null ? "" : " and " + table.districtColumn() + " = ?");
        digests = connection.prepareStatement("select " + table.key() + ", " + config.digest() + where);
        rows = connection.prepareStatement("select " + table.key() + ", pg_snapshot_xmax(pg_current_snapshot())::text"
                + "::bigint, (select count(*) from pg_snapshot_xip(pg_current_snapshot())), " + columns + where);
        var described = rows.getMetaData();
        types = new Class<?>[fields.size()];
        for (var i = 0; i < types.length; i++) {
            types[i] = TYPES.get(described.getColumnTypeName(i + 4));
            if (types[i] == null) {
                throw new SQLException(columns + ": no way to read " + described.getColumnTypeName(i + 4));
            }
        }
    }

    Digests digests(long[] keys) throws SQLException {
        var given = new Digests(new long[keys.length], new boolean[keys.length]);
        var next = 0;
        try (var found = ask(digests, keys)) {
            while (found.next()) {
                var key = found.getLong(1);
                // Rows mostly come in the order of their keys.
                var at = next < keys.length && keys[next] == key ? next : Arrays.binarySearch(keys, key);
                given.values[at] = found.getLong(2);
                given.found[at] = true;
                next = at + 1;
            }
        }
        return given;
    }

    Map<Long, Row> rows(long[] keys) throws SQLException {
        var given = new HashMap<Long, Row>(keys.length * 2);
        try (var found = ask(rows, keys)) {
            while (found.next()) {
                var values = new Object[types.length];
                for (var i = 0; i < types.length; i++) {
                    values[i] = found.getObject(i + 4, types[i]);
                }
                given.put(found.getLong(1), new Row(values, found.getLong(2), found.getLong(3)));
            }
        }
        return given;
    }

    private ResultSet ask(PreparedStatement statement, long[] keys) throws SQLException {
        Array array = connection.unwrap(PGConnection.class).createArrayOf("int8", keys);
        statement.setArray(1, array);
        if (district != null) {
            statement.setString(2, district);
        }
        return statement.executeQuery();
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
