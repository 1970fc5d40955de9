-- What the doctor asks of a database. It changes nothing.

-- name: server
select current_database()::text, current_user::text, current_setting('server_version_num')::int, getdatabaseencoding()::text,
       current_setting('TimeZone'), has_database_privilege(current_database(), 'CREATE'),
       has_database_privilege(current_database(), 'TEMPORARY'),
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint;

-- name: clock
select extract(epoch from clock_timestamp())::float8;

-- A table as the role would find it; where it would not, one of the name in another schema.
-- name: table
select c.oid::bigint, format('%%I.%%I', n.nspname, c.relname), n.nspname::text,
       %(schema)s::text is not null or n.nspname = any(current_schemas(true)),
       has_schema_privilege(n.oid, 'USAGE'), c.relkind in ('r', 'p', 'm'), row_security_active(c.oid),
       array(select r from unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) r where has_table_privilege(c.oid, r))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = %(table)s and c.relkind = any('{r,p,v,m,f}')
  and (%(schema)s::text is null or n.nspname = %(schema)s::text)
order by coalesce(array_position(current_schemas(true), n.nspname), 1000), n.nspname
limit 1;

-- A domain's base, as the applier casts to it.
-- name: columns
with recursive bare as (
    select a.attnum, a.atttypid as type_id
    from pg_attribute a where a.attrelid = %(oid)s::oid and a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, t.typbasetype from bare b join pg_type t on t.oid = b.type_id and t.typtype = 'd'
)
select a.attname::text, format_type(b.type_id, -1), format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef or a.attidentity <> '', a.attgenerated <> '' or a.attidentity = 'a',
       coalesce(pg_get_expr(d.adbin, d.adrelid) ~* '\m(now|localtimestamp|current_timestamp|[a-z]+_timestamp)\M', false),
       array(select r from unnest('{SELECT,INSERT,UPDATE}'::text[]) r
             where has_column_privilege(a.attrelid, a.attnum, r))
from pg_attribute a
join bare b on b.attnum = a.attnum
join pg_type t on t.oid = b.type_id and t.typtype <> 'd'
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = %(oid)s::oid
order by a.attnum;

-- name: indexes
select array(
           select a.attname::text
           from unnest(i.indkey::int2[]) with ordinality k (attnum, n)
           left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0
           where k.n <= i.indnkeyatts order by k.n
       ),
       i.indisunique and i.indnkeyatts > 0, i.indisvalid and i.indisready and i.indpred is null
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_am m on m.oid = c.relam and m.amname in ('btree', 'hash')
where i.indrelid = %(oid)s::oid;

-- name: cascades
select quote_ident(k.conname), format('%%I.%%I', n.nspname, c.relname), pg_get_constraintdef(k.oid)
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and k.confrelid = %(oid)s::oid and k.confdeltype in ('c', 'n', 'd') and k.conparentid = 0
order by 1;

-- name: triggers
select quote_ident(t.tgname), p.proname::text, p.prosrc
from pg_trigger t join pg_proc p on p.oid = t.tgfoid
where t.tgrelid = %(oid)s::oid and not t.tgisinternal and t.tgenabled in ('O', 'A')
order by 1;

-- name: rules
select quote_ident(w.rulename) from pg_rewrite w
where w.ev_class = %(oid)s::oid and w.ev_type in ('2', '3', '4') and w.ev_enabled in ('O', 'A') order by 1;

-- name: locked_sequences
select s.oid::regclass::text
from pg_attrdef d
join pg_depend e on e.classid = 'pg_attrdef'::regclass and e.objid = d.oid and e.refclassid = 'pg_class'::regclass
join pg_class s on s.oid = e.refobjid
where d.adrelid = %(oid)s::oid
  and case when s.relkind = 'S' then not has_sequence_privilege(s.oid, 'USAGE, UPDATE') end;

-- name: versions
select district_id, epoch, max(snapshot_xmax) from resync_applier.versions group by district_id, epoch;

-- name: schema_tables
select c.relname::text,
       array(select r from unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) r where has_table_privilege(c.oid, r)),
       pg_has_role(n.nspowner, 'USAGE'), has_schema_privilege(n.oid, 'USAGE')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'p') order by 1;
