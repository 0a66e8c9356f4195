package provider_test

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

const volume = "hcloud:index/volume:Volume"

func TestSchemaRefusals(t *testing.T) {
	s := simtest.New(t, cloud.Package{Name: "hcloud"}, cloud.Package{Name: "docker"})
	for _, c := range []struct {
		name  string
		token string
		props simtest.Props
		want  string
	}{
		{"missing", volume, simtest.Props{"location": "nbg1"}, `size: Missing required argument`},
		{"unknown", volume, simtest.Props{"size": 10, "lokation": "nbg1"}, `did you mean "location"?`},
		{"wrong type", volume, simtest.Props{"size": "ten"}, "a number is required"},
		{"fraction", volume, simtest.Props{"size": 1.5}, "a whole number is required"},
		{"list for map", volume, simtest.Props{"size": 10, "labels": []string{"a"}}, "a map is required"},
		{"nested missing", "docker:index/network:Network", simtest.Props{"labels": []any{simtest.Props{"label": "a"}}}, "labels[0].value: Missing required argument"},
		{"nested unknown", "docker:index/network:Network", simtest.Props{"ipamConfigs": []any{simtest.Props{"subnett": "10.0.0.0/8"}}}, `did you mean "subnet"?`},
	} {
		t.Run(c.name, func(t *testing.T) { s.Refuses(c.token, c.name, c.props, c.want) })
	}
	s.Must(volume, "good", simtest.Props{"size": "10", "labels": map[string]string{"a": "b"}})
}

func TestAutoNamesStayAndDiffer(t *testing.T) {
	s := simtest.New(t, cloud.Package{Name: "hcloud"})
	a := s.Must(volume, "data", simtest.Props{"size": 10})
	name := a.In.String("name")
	if !strings.HasPrefix(name, "data-") || len(name) != len("data-")+7 {
		t.Fatalf("generated name %q", name)
	}
	// A second volume of the same logical name, as in a replacement, must not clash with the first.
	b := s.Must(volume, "data", simtest.Props{"size": 10})
	if b.In.String("name") == name || b.ID == a.ID {
		t.Fatalf("second creation got name %q and id %q again", b.In.String("name"), b.ID)
	}
}

func TestDiff(t *testing.T) {
	s := simtest.New(t, cloud.Package{Name: "hcloud"}, cloud.Package{Name: "docker"})
	v := s.Must(volume, "data", simtest.Props{"size": 10, "location": "nbg1", "name": "data"})
	for _, c := range []struct {
		name    string
		props   simtest.Props
		changed string
		replace bool
	}{
		{"nothing", simtest.Props{"size": 10, "location": "nbg1", "name": "data"}, "", false},
		{"size", simtest.Props{"size": 20, "location": "nbg1", "name": "data"}, "size", false},
		{"location", simtest.Props{"size": 10, "location": "hel1", "name": "data"}, "location", true},
		{"computed left out", simtest.Props{"size": 10, "name": "data"}, "", false},
		{"false is absent", simtest.Props{"size": 10, "location": "nbg1", "name": "data", "automount": false}, "", false},
	} {
		d := s.Diff(v, c.props)
		var changed []string
		for _, k := range d.ChangedKeys {
			changed = append(changed, string(k))
		}
		if strings.Join(changed, ",") != c.changed || d.Replace() != c.replace {
			t.Errorf("%s: changed %v replace %v", c.name, changed, d.Replace())
		}
	}
	label := func(k, v string) simtest.Props { return simtest.Props{"label": k, "value": v} }
	n := s.Must("docker:index/network:Network", "n", simtest.Props{"name": "n", "labels": []any{label("a", "1"), label("b", "2")}})
	if d := s.Diff(n, simtest.Props{"name": "n", "labels": []any{label("b", "2"), label("a", "1")}}); d.Replace() || len(d.ChangedKeys) > 0 {
		t.Errorf("the order of a set is no change, got %v", d.DetailedDiff)
	}
	if d := s.Diff(n, simtest.Props{"name": "n", "labels": []any{label("b", "3"), label("a", "1")}}); !d.Replace() || !d.DeleteBeforeReplace {
		t.Errorf("a changed label replaces a network of its own name, old one first; got %+v", d)
	}
}

func TestNamePrefixes(t *testing.T) {
	s := simtest.New(t, cloud.Package{Name: "aws"})
	const alias = "aws:kms/alias:Alias"
	props := simtest.Props{"namePrefix": "alias/data-", "targetKeyId": "k"}
	a := s.Must(alias, "a", props)
	name := a.Out.String("name")
	if !strings.HasPrefix(name, "alias/data-2026") || a.In.Has("name") {
		t.Fatalf("name %q, inputs %v", name, a.In)
	}
	if d := s.Diff(a, props); d.Replace() || len(d.ChangedKeys) > 0 {
		t.Errorf("the generated name shows as a change: %v", d.ChangedKeys)
	}
	b, err := s.Update(a, simtest.Props{"namePrefix": "alias/data-", "targetKeyId": "other"})
	if err != nil || b.Out.String("name") != name {
		t.Errorf("the name did not stay: %v %v", b, err)
	}
}
