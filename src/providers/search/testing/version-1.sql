-- A file as the first version has written it.
pragma auto_vacuum = incremental;
pragma journal_mode = wal;
CREATE TABLE collections (
  number integer primary key autoincrement,
  project text not null,
  id text not null,
  dimensions integer,
  removals integer not null default 0,
  edits integer not null default 0,
  unique (project, id)
);
CREATE TABLE files (
  number integer primary key autoincrement,
  collection integer not null,
  id text not null,
  filename text not null,
  attributes text not null,
  bytes integer not null,
  unique (collection, id)
);
CREATE TABLE segments (
  number integer primary key autoincrement,
  collection integer not null,
  file integer not null,
  place integer not null,
  chunks integer not null,
  words integer not null,
  lengths blob not null,
  scales blob,
  errors blob
);
CREATE INDEX segments_of_collection on segments (collection, number);
CREATE INDEX segments_of_file on segments (file, place);
CREATE TABLE codes (segment integer primary key, data blob not null);
CREATE TABLE texts (chunk integer primary key, text text not null);
CREATE TABLE vectors (chunk integer primary key, vector blob not null);
CREATE TABLE postings (
  collection integer not null,
  batch integer not null,
  word text not null,
  segment integer not null,
  data blob not null,
  primary key (collection, batch, word, segment)
) without rowid;
insert into collections values (1, 'p', 'vs_1', 3, 0, 0);
insert into files values (1, 1, 'file-a', 'a.txt', '{"year":2026}', 28);
insert into files values (2, 1, 'file-b', 'b.txt', '{}', 41);
insert into segments values (1, 1, 1, 0, 1, 3, x'03000000', x'd771b63b', x'7fd78935');
insert into segments values (2, 1, 2, 0, 2, 3, x'0100000002000000', x'0402013cbbc6e63b', x'c6b7863556d7663b');
insert into codes values (1, x'7f7f0000000000000000000000000000');
insert into codes values (2, x'7f000000000000000000000000000000007f4000000000000000000000000000');
insert into texts values (512, 'apples and pears');
insert into texts values (1024, 'plums');
insert into texts values (1025, 'cherry trees');
insert into vectors values (512, x'f304353ff304353f00000000');
insert into vectors values (1024, x'0000803f0000000000000000');
insert into vectors values (1025, x'000000002ef9643f2ef9e43e');
insert into postings values (1, 0, 'and', 1, x'0001');
insert into postings values (1, 0, 'appl', 1, x'0001');
insert into postings values (1, 0, 'cherri', 2, x'0101');
insert into postings values (1, 0, 'pear', 1, x'0001');
insert into postings values (1, 0, 'plum', 2, x'0001');
insert into postings values (1, 0, 'tree', 2, x'0101');
pragma user_version = 1;
