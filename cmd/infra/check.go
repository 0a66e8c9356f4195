package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/morphee-app/morphee-infra/components/docker"
	"github.com/morphee-app/morphee-infra/components/external"
	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/dbcheck"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
)

// checkResult is what `infra check --json` prints.
type checkResult struct {
	Stack    string            `json:"stack"`
	Provider string            `json:"provider"`
	Host     string            `json:"host,omitempty"`
	OK       bool              `json:"ok"`
	Findings []dbcheck.Finding `json:"findings"`
	Errors   []string          `json:"errors"`
}

func (a *app) checkCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "check STACK",
		Short: "Connect to the stack's external database and say whether the services can use it",
		Long: "Connect to the stack's Supabase or Neon database and look at it: TLS, version, rights, connections.\n" +
			"Nothing is changed there. It is the only command that talks to anything real.\n\n" +
			"The password is the stack's own, for which PULUMI_CONFIG_PASSPHRASE has to be set, or PGPASSWORD.",
		Args: exactArgs("STACK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := a.check(cmd.Context(), args[0])
			if asJSON {
				result.Errors = messages(err)
				return a.showJSON(result, err)
			}
			a.showFindings(result)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document and nothing else")
	return cmd
}

func (a *app) check(ctx context.Context, arg string) (*checkResult, error) {
	result := &checkResult{Stack: arg, Findings: []dbcheck.Finding{}}
	stack, err := loadStack(arg, "")
	if err != nil {
		return result, err
	}
	db := stack.Config.Database
	result.Stack, result.Provider, result.OK = stack.Name, db.Provider, true
	if !db.IsExternal() {
		return result, nil
	}
	target, err := target(stack)
	if err != nil {
		result.OK = false
		return result, err
	}
	result.Host = target.Host
	result.Findings = dbcheck.Check(ctx, target)
	if dbcheck.Failed(result.Findings) {
		result.OK = false
		return result, errors.New("the services cannot use this database yet")
	}
	return result, nil
}

// target is the stack's external database, with the password that opens it.
func target(stack *rehearsal.Stack) (dbcheck.Target, error) {
	e := stack.Config.Database.External
	t := dbcheck.Target{
		Host: e.Host, Port: e.Port, Database: e.Database, Role: e.Role, VerifyFull: e.TLSMode == "verify-full", CACertificate: e.CACertificate,
		Connections:   stack.Config.Alarms.DatabaseConnections,
		SessionPooler: strings.HasSuffix(e.Host, ".pooler.supabase.com"), SignIn: stack.Config.Auth.Replicas * docker.GoTruePoolSize,
	}
	if t.CACertificate == "" && stack.Config.Database.Provider == external.Neon {
		t.CACertificate = external.LetsEncryptRoots
	}
	const key = config.Namespace + ":database.external.password"
	if password, ok := os.LookupEnv("PGPASSWORD"); ok {
		t.Password = password
	} else if t.Password, ok = stack.Opened[key]; !ok || rehearsal.IsStandIn(t.Password) {
		return t, usageError{errors.New("the password of the database is encrypted: set PULUMI_CONFIG_PASSPHRASE, which opens it, or PGPASSWORD")}
	}
	return t, nil
}

func (a *app) showFindings(r *checkResult) {
	switch {
	case r.Provider == "":
		return
	case r.Host == "" && r.OK:
		fmt.Fprintf(a.stdout, "Stack %s has no external database (database.provider is %s): there is nothing to check from here.\n", r.Stack, r.Provider)
		return
	case r.Host == "":
		return
	}
	fmt.Fprintf(a.stdout, "The %s database of stack %s, %s:\n", r.Provider, r.Stack, r.Host)
	for _, f := range r.Findings {
		fmt.Fprintf(a.stdout, "  %-8s %-12s %s\n", f.Level, f.Check, f.Found)
		if f.Mend != "" {
			fmt.Fprintf(a.stdout, "  %s\n", strings.Repeat(" ", 21)+"mend: "+f.Mend)
		}
	}
}
