-- Statements of the applier about one object's rows; braces are filled from the catalog, by column types.
-- `i` is the input, one row a correction; `t` the state's table; `v` the versions that were applied.

-- name: read
select i.n, v.epoch, v.snapshot_xmax, v.in_progress, t.{key} is not null, {texts}
from {input}
left join lateral ({versions}) v on true
left join {table} t on {same_record}
order by i.n;

-- The compare stands in the write: the row is still as it was read, and no newer version is recorded.
-- name: update
with written as (
    update {table} t set {assignments}
    from {input} left join lateral ({versions}) v on true
    where {same_record} and {not_older} and {unchanged}
    returning {returned}
), {keep_versions}
select {told};

-- Where no two rows have one key.
-- name: of_one
{places} from written

-- Rows that the key had before are looked up once more, so that a place comes back as often as there are: one of two may
-- be as expected.
-- name: of_each
i.n from written i join {table} t on {same_record}

-- name: delete
with written as (
    delete from {table} t
    using {input} left join lateral ({versions}) v on true
    where {same_record} and {not_older} and {unchanged}
    returning {returned}
), {keep_versions}
select n from written;

-- name: create
with allowed as (
    select {returned}, i.new
    from {input} left join lateral ({versions}) v on true
    where {not_older} and not exists (select from {table} t where {same_record})
), stored as (
    insert into {table} as t ({columns}) select {values} from allowed i
    returning {identity}
), written as (
    select i.* from allowed i join stored t on {same_record}
), {keep_versions}
select n from written;

-- No place comes back where a row was not stored (a trigger may keep it out): all is to be undone then.
-- name: create_all
with written as (
    select {returned}, i.new
    from {input} left join lateral ({versions}) v on true
    where {not_older} and not exists (select from {table} t where {same_record})
), stored as (
    insert into {table} as t ({columns}) select {values} from written i
    returning 1
), {keep_versions}
select case when (select count(*) from stored) = count(*) then {places} else '{{}}' end from written;

-- Of those written, null for all of them.
-- name: places
case when count(*) <> %(count)s then coalesce(array_agg(n), '{}') end

-- Nothing was left to write, but older corrections on their way must not be written any more.
-- name: seen
{keep_version} from {input} {newest};

-- What `written` has of `i` and `v`.
-- name: returned
i.n, i.district, i.key, i.epoch, i.snapshot_xmax, i.in_progress, i.correction_id, v.key is not null as is_recorded

-- None of them is older than what is recorded, and the district is locked: nobody else records one meanwhile.
-- name: keep_versions
kept as (
    {keep_version} from written i where not i.is_recorded
), renewed as (
    update resync_applier.versions v
    set epoch = i.epoch, snapshot_xmax = i.snapshot_xmax, in_progress = i.in_progress, correction_id = i.correction_id
    from written i where i.is_recorded and {recorded}
)

-- name: keep_version
insert into resync_applier.versions as v (district_id, object, key, epoch, snapshot_xmax, in_progress, correction_id)
select i.district, %(object)s, i.key, i.epoch, i.snapshot_xmax, i.in_progress, i.correction_id

-- name: newest
on conflict (district_id, object, key) do update
set epoch = excluded.epoch, snapshot_xmax = excluded.snapshot_xmax, in_progress = excluded.in_progress,
    correction_id = excluded.correction_id
where (v.epoch, v.snapshot_xmax, -v.in_progress) <= (excluded.epoch, excluded.snapshot_xmax, -excluded.in_progress)

-- name: recorded
v.district_id = i.district and v.object = %(object)s and v.key = i.key

-- By its key, one by one: on few, or none yet, the planner would read all of an object's for each statement, as it goes on
-- to do when there are many.
-- name: versions
select * from resync_applier.versions v where {recorded} offset 0

-- name: not_older
(v.key is null or (i.epoch, i.snapshot_xmax, -i.in_progress) >= (v.epoch, v.snapshot_xmax, -v.in_progress))

-- The district's key behind the state's id, within the same district.
-- name: district_key
case when {column} is not null then coalesce(
    (select max({key}::text) from {table} l where {id} = {column} and {district_column} = {district}), {dangling}
) end

-- name: resolve
select i.n, min({id}::text), count(*)
from unnest(%(district)s::text[], %(key)s::text[]) with ordinality as i (district, key, n)
join {table} t on {same_record}
group by i.n;

-- name: referring
select distinct i.n
from unnest(%(district)s::text[], %(key)s::text[]) with ordinality as i (district, key, n)
join {table} t on {refers};

-- name: id_of
{column} in (select {id} from {table} l where {same_record})
