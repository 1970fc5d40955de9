-- Every last name that a district has given a person, in its order, so that a test can tell older from newer.
-- `mark` is the name after the edit, or the last one of a person deleted.
create table edits (
    seq  bigint generated always as identity primary key,
    key  text not null,
    op   text not null,
    mark text
);

create function note_edits() returns trigger language plpgsql as $$
begin
    insert into edits (key, op, mark) select person_id::text, tg_op, last_name from changed;
    return null;
end $$;

create trigger note_inserts after insert on identity referencing new table as changed
for each statement execute function note_edits();
create trigger note_updates after update on identity referencing new table as changed
for each statement execute function note_edits();
create trigger note_deletes after delete on identity referencing old table as changed
for each statement execute function note_edits();
