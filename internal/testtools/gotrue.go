package testtools

// GoTrueTables are sign-in's tables in the schema auth as of its migration 20240612123726.
var GoTrueTables = []string{
	"schema_migrations", "instances", "users", "audit_log_entries", "saml_relay_states", "refresh_tokens", "mfa_factors", "sessions",
	"sso_providers", "sso_domains", "mfa_challenges", "mfa_amr_claims", "saml_providers", "flow_state", "identities", "one_time_tokens",
}

// GoTrueMigration does to the schema auth what sign-in's migrations do and a database has to allow
// (supabase/auth, 20240612123726_enable_rls_update_grants and 20220320143831_set_idle_transaction_timeout,
// as of v2.186.0): they change a setting of sign-in's own role, protect every table's rows, and let a
// role that is called postgres, whatever it is there, read the tables and let others read them. It is run
// as the role that owns the schema.
func GoTrueMigration() string {
	sql := "ALTER ROLE current_user SET idle_in_transaction_session_timeout TO 300000;\n"
	for _, table := range GoTrueTables {
		sql += "CREATE TABLE IF NOT EXISTS auth." + table + " (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text);\n"
	}
	sql += "INSERT INTO auth.users (email) SELECT i || '@example.org' FROM generate_series(1, 50) i;\nDO $$ BEGIN\n"
	for _, table := range GoTrueTables {
		sql += "ALTER TABLE auth." + table + " ENABLE ROW LEVEL SECURITY;\nGRANT SELECT ON auth." + table + " TO postgres WITH GRANT OPTION;\n"
	}
	return sql + "END $$;\n"
}
