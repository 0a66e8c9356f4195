package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/morphee-app/morphee-infra/internal/compose"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// loadCompose reads a rendered file the way Docker Compose does.
func loadCompose(t *testing.T, file *compose.File) *types.Project {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(path, file.YAML, 0o600); err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, v := range file.Variables {
		env = append(env, v.Name+"=value-of-"+v.Name)
	}
	options, err := cli.NewProjectOptions([]string{path}, cli.WithEnv(env), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatalf("Compose does not accept the file: %v\n%s", err, file.YAML)
	}
	return project
}

// composed brings a stack up and returns the project of its Compose file, and what is deployed.
func composed(t *testing.T, stack *rehearsal.Stack) (*types.Project, []deployment.Resource) {
	t.Helper()
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	all := rig.Resources(t, store, stack.Stack)
	file, err := compose.Render(stack.Name, all, stack.Opened)
	if err != nil {
		t.Fatal(err)
	}
	return loadCompose(t, file), all
}

// The Compose file has the containers of the stack, each with what it has in the stack.
func TestComposeHasTheSameContent(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		if !stack.Config.UsesServer() {
			t.Skip("no containers on a Docker host in this phase")
		}
		project, all := composed(t, stack)
		containers := 0
		host, _ := compose.Host(all)
		for _, r := range all {
			if r.Type == "docker:index/container:Container" && r.Provider != host {
				continue // a file is for one host
			}
			if r.Type != "docker:index/container:Container" || r.Inputs["start"] == false {
				continue
			}
			containers++
			name := r.Inputs["name"].(string)
			service, err := project.GetService(name)
			if err != nil {
				t.Errorf("no service %s", name)
				continue
			}
			compareService(t, service, r)
		}
		if containers != len(project.Services) || containers == 0 {
			t.Errorf("%d containers, %d services", containers, len(project.Services))
		}
	})
}

func compareService(t *testing.T, service types.ServiceConfig, r deployment.Resource) {
	t.Helper()
	if got, want := float64(service.Deploy.Resources.Limits.MemoryBytes)/(1<<20), r.Inputs["memory"].(float64); got != want {
		t.Errorf("%s: memory %v MiB, want %v", service.Name, got, want)
	}
	if service.ReadOnly != (r.Inputs["readOnly"] == true) {
		t.Errorf("%s: read only %v", service.Name, service.ReadOnly)
	}
	if !slices.Contains(service.CapDrop, "ALL") {
		t.Errorf("%s: capabilities are not dropped", service.Name)
	}
	if service.HealthCheck == nil || len(service.HealthCheck.Test) == 0 {
		t.Errorf("%s: no healthcheck", service.Name)
	}
	envs, _ := r.Inputs["envs"].([]any)
	for _, e := range envs {
		k, v, _ := strings.Cut(deployment.Plain(e).(string), "=")
		got, ok := service.Environment[k]
		if !ok || got == nil {
			t.Errorf("%s: environment %s is missing", service.Name, k)
			continue
		}
		if _, secret := e.(deployment.Secret); !secret && *got != v && !strings.Contains(*got, "value-of-") {
			t.Errorf("%s: environment %s is %q, want %q", service.Name, k, *got, v)
		}
	}
}

// Of the stack's images only references are in the file, never ids of the simulated registry.
func TestComposeImagesAreReferences(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["dev"])
	store := rig.NewStore(t)
	rig.Run(t, store, sim.Up, stack.Stack, sim.Options{})
	file, err := compose.Render(stack.Name, rig.Resources(t, store, stack.Stack), stack.Opened)
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range loadCompose(t, file).Services {
		if strings.HasPrefix(service.Image, "sha256:") || !strings.Contains(service.Image, ":") {
			t.Errorf("%s: image %q", name, service.Image)
		}
	}
	if len(file.Variables) == 0 {
		t.Error("no variables: the secrets must be somewhere")
	}
}
