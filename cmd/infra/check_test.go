package main

import "testing"

// What the check says of connections follows from the configuration.
func TestCheckKnowsHowManyConnectionsAreNeeded(t *testing.T) {
	t.Setenv("PGPASSWORD", "CANARY")
	for name, want := range map[string]struct {
		pooler bool
		signIn int
	}{"phase2-supabase": {true, 20}, "phase2-neon": {false, 20}} {
		stack, err := loadStack("../../stacks/examples/"+name+".yaml", "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := target(stack)
		if err != nil || got.Connections != 80 || got.SessionPooler != want.pooler || got.SignIn != want.signIn {
			t.Errorf("%s: %v, pooler %v, %d connections, %d for sign-in", name, err, got.SessionPooler, got.Connections, got.SignIn)
		}
	}
}
