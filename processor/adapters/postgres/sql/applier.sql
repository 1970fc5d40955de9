-- Statements of the applier that are the same for every object.

-- The lock stands in a statement of its own, whose snapshot nothing is read by.
-- name: begin
begin isolation level read committed;
select pg_advisory_xact_lock(district.lock) from unnest(array[{locks}]::bigint[]) as district (lock);
set constraints all immediate;

-- name: answered
select c.n, a.result, a.detail, a.answered_at
from unnest(%(correction_id)s::uuid[], %(sent_at)s::timestamptz[]) with ordinality as c (correction_id, sent_at, n)
join resync_applier.applied a on a.correction_id = c.correction_id and a.sent_at = c.sent_at;

-- Fails where there is an answer already, which was not looked for.
-- name: conclude
insert into resync_applier.applied (correction_id, sent_at, district_id, object, key, result, detail, answered_at)
select i.correction_id, (%(sent_at)s::timestamptz[])[i.alike], (%(district_id)s::text[])[i.alike],
       (%(object)s::text[])[i.alike], i.key, (%(result)s::text[])[i.alike], (%(detail)s::text[])[i.alike],
       (%(answered_at)s::timestamptz[])[i.alike]
from unnest(%(correction_id)s::uuid[], %(key)s::text[], %(alike)s::int[]) as i (correction_id, key, alike);

-- A column's type without length or precision, a domain's base: a cast to `varchar(3)` would cut silently what the
-- assignment to the column refuses.
-- name: columns
with recursive bare as (
    select a.attname, a.attnum, format_type(a.atttypid, a.atttypmod) as declared, a.atttypid as type_id
    from pg_attribute a
    where a.attrelid = to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped
    union all
    select b.attname, b.attnum, b.declared, t.typbasetype
    from bare b join pg_type t on t.oid = b.type_id and t.typtype = 'd'
)
select b.attname, format_type(b.type_id, -1), b.declared
from bare b join pg_type t on t.oid = b.type_id and t.typtype <> 'd'
order by b.attnum;

-- Whether something at the table may change a row while it is written: a trigger before or instead of it, a rule. What
-- is no plain table hides those of the tables behind it. And whether no two rows can have one key: a unique index on its
-- columns, or some of them, says so, unless tables inherit from this one.
-- name: table_facts
select exists (
    select from pg_class c where c.oid = to_regclass(%(table)s) and c.relkind <> 'r'
) or exists (
    select from pg_trigger g
    where g.tgrelid = to_regclass(%(table)s) and not g.tgisinternal and g.tgenabled <> 'D'
      and g.tgtype & 1 <> 0 and g.tgtype & 66 <> 0 and g.tgtype & 20 <> 0
) or exists (
    select from pg_rewrite r where r.ev_class = to_regclass(%(table)s) and r.ev_type <> '1' and r.ev_enabled <> 'D'
), exists (
    select from pg_index x join pg_class c on c.oid = x.indrelid
    where c.oid = to_regclass(%(table)s) and (c.relkind = 'p' or not c.relhassubclass)
      and x.indisunique and x.indisvalid and x.indpred is null and x.indexprs is null
      and not exists (
        select from generate_series(0, x.indnkeyatts - 1) n
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[n] and a.attname = any(%(key)s::text[])
          and a.attcollation = x.indcollation[n]
        left join pg_opclass o on o.oid = x.indclass[n] and o.opcdefault
        where a.attnum is null or o.oid is null
      )
);

-- Fails on a text with a character that the database's encoding lacks.
-- name: echo
select %(text)s::text[];

-- name: invalid_input
select i.n
from unnest(%(text)s::text[], %(type)s::text[]) with ordinality as i (text, type, n)
where i.text is not null and not pg_input_is_valid(i.text, i.type)
order by i.n
limit 1;

-- name: prune
delete from resync_applier.applied a
where a.ctid in (
    select old.ctid from resync_applier.applied old
    where old.answered_at < %(before)s
    order by old.answered_at
    limit %(limit)s
    for update skip locked
);
