-- Outcomes are counted a district too: where two districts' requests share one id, the outcomes of the one are not told
-- as those of the other (ADR 0140, ADR 0180).
truncate tallies;
alter table tallies add column district_id text collate "C" not null;
alter table tallies drop constraint tallies_pkey;
alter table tallies add primary key (request_id, district_id, object, status, reason);

create or replace function tally() returns trigger language plpgsql as $tally$
declare
    counted constant text := $sql$
        select request_id, district_id, object, status, coalesce(reason, '') as reason,
            (asked_as is not null)::integer as asked,
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
            insert into %1$I.tallies as t (request_id, district_id, object, status, reason, keys, asked)
            select request_id, district_id, object, status, reason, sum(sign), sum(sign * asked) from (%2$s) c
            group by 1, 2, 3, 4, 5 having sum(sign) <> 0 or sum(sign * asked) <> 0
            on conflict (request_id, district_id, object, status, reason) do update
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

insert into tallies (request_id, district_id, object, status, reason, keys, asked)
select request_id, district_id, object, status, coalesce(reason, ''), count(*), count(asked_as)
from outcomes group by 1, 2, 3, 4, 5;
