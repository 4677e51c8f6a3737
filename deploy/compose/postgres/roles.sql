-- Run by the image of PostgreSQL as the superuser, once, in the new database: docs/operating.md#in-pieces.
\set ON_ERROR_STOP on
\set owner_password `cat /run/secrets/owner-password`
\set runtime_password `cat /run/secrets/runtime-password`
CREATE ROLE meetra_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE meetra_runtime LOGIN PASSWORD :'runtime_password';
ALTER DATABASE :"DBNAME" OWNER TO meetra_owner;
CREATE EXTENSION vector;
