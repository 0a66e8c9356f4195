-- Brings one role and its database to what they should be; safe to run at any time.
-- Variables: db, owner, schema (may be empty). Environment: OWNER_PASSWORD_FILE.
\set password `cat "$OWNER_PASSWORD_FILE"`

-- On a server that somebody else runs, the administrator is no superuser.
SELECT rolsuper AS super FROM pg_roles WHERE rolname = current_user \gset

\if :super
-- A failing statement must not leave the password in the server's log.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
\endif

SELECT format('CREATE ROLE %I', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec

-- Sign-in's migrations grant to PostgreSQL's usual administrator. Where it is called otherwise, nobody is it.
SELECT 'CREATE ROLE postgres NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres') \gexec

\if :super
SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD %L', :'owner', :'password') \gexec
\else
-- Only a superuser may as much as mention the attributes that are missing here. And only a member
-- of a role may make things that belong to it.
SELECT format('ALTER ROLE %I LOGIN NOCREATEDB NOCREATEROLE PASSWORD %L', :'owner', :'password') \gexec
SELECT format('GRANT %I TO CURRENT_USER', :'owner') WHERE NOT pg_has_role(current_user, :'owner', 'USAGE') \gexec
\endif

SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', :'db', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'db') \gexec

SELECT format('ALTER DATABASE %I OWNER TO %I', :'db', :'owner') \gexec
SELECT format('GRANT ALL PRIVILEGES ON DATABASE %I TO %I', :'db', :'owner') \gexec
-- One service must not read another's database.
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', :'db') \gexec

\connect :"db"
SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', :'schema', :'owner') WHERE :'schema' <> '' \gexec
SELECT format('ALTER ROLE %I IN DATABASE %I SET search_path = %I', :'owner', :'db', :'schema') WHERE :'schema' <> '' \gexec
