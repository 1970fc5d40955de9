-- How many outcomes each request has, by object, status and reason, so that no page of the history counts outcomes
-- (ADR 0038). A function of the table outcomes, kept by triggers in the transaction that changes it, whoever that is.
-- `reason` is empty where there is none. `asked`: those that the request named itself. No row says 0.
create table tallies (
    request_id text collate "C",
    object text collate "C",
    status text collate "C",
    reason text collate "C",
    keys bigint not null,
    asked bigint not null,
    primary key (request_id, object, status, reason)
) with (fillfactor = 70);

-- Tables are named by the trigger's schema: a replay fills another one and renames it.
create function tally() returns trigger language plpgsql as $tally$
declare
    counted constant text := $sql$
        select request_id, object, status, coalesce(reason, '') as reason, (asked_as is not null)::integer as asked,
        $sql$;
    gained constant text := counted || '1 as sign from gained';
    lost constant text := counted || '-1 as sign from lost';
    changed constant text := case tg_op
        when 'INSERT' then gained when 'DELETE' then lost
        else gained || ' union all ' || lost
    end;
    emptied tid[];
begin
    if tg_op = 'TRUNCATE' then
        execute format('truncate %I.tallies', tg_table_schema);
        return null;
    end if;
    execute format(
        $sql$
        with merged as (
            insert into %1$I.tallies as t (request_id, object, status, reason, keys, asked)
            select request_id, object, status, reason, sum(sign), sum(sign * asked) from (%2$s) c
            group by 1, 2, 3, 4 having sum(sign) <> 0 or sum(sign * asked) <> 0
            on conflict (request_id, object, status, reason) do update
            set keys = t.keys + excluded.keys, asked = t.asked + excluded.asked
            returning t.ctid as place, t.keys
        )
        select array_agg(place) filter (where keys = 0) from merged
        $sql$,
        tg_table_schema, changed
    ) into emptied;
    if emptied is not null then
        execute format('delete from %I.tallies where ctid = any($1)', tg_table_schema) using emptied;
    end if;
    return null;
end
$tally$;

create trigger tally_inserted after insert on outcomes
    referencing new table as gained for each statement execute function tally();
create trigger tally_updated after update on outcomes
    referencing new table as gained old table as lost for each statement execute function tally();
create trigger tally_deleted after delete on outcomes
    referencing old table as lost for each statement execute function tally();
create trigger tally_truncated after truncate on outcomes for each statement execute function tally();

insert into tallies (request_id, object, status, reason, keys, asked)
select request_id, object, status, coalesce(reason, ''), count(*), count(asked_as)
from outcomes group by 1, 2, 3, 4;

-- Tallies answer what these were for; failures are still looked up one by one.
drop index outcomes_open;
drop index outcomes_not_done;
create index outcomes_failed on outcomes (request_id, object, key) where status = 'FAILED';

-- A page of the history begins after a time and an id.
drop index requests_by_time;
drop index requests_by_decision;
drop index requests_by_district;
create index requests_by_decision on requests (decided_at, request_id);
create index requests_by_district on requests (district_id, decided_at, request_id);
