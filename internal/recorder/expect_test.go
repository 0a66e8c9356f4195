package recorder_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// spy is a test that notes what is wrong.
type spy struct {
	testing.TB
	said []string
}

func (*spy) Helper()                        {}
func (s *spy) Errorf(f string, args ...any) { s.said = append(s.said, fmt.Sprintf(f, args...)) }
func (s *spy) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }

func (s *spy) want(t *testing.T, parts ...string) {
	t.Helper()
	if len(s.said) != len(parts) {
		t.Fatalf("said %q, want %d", s.said, len(parts))
	}
	for i, part := range parts {
		if !strings.Contains(s.said[i], part) {
			t.Errorf("said %q, want %q", s.said[i], part)
		}
	}
	s.said = nil
}

func sample() []recorder.Resource {
	text := func(s string) resource.PropertyValue { return resource.NewProperty(s) }
	return []recorder.Resource{
		{Type: "a", Name: "one", Inputs: resource.PropertyMap{
			"size": resource.NewProperty(3.0), "names": resource.NewProperty([]resource.PropertyValue{text("x"), resource.MakeSecret(text("hidden"))}),
		}},
		{Type: "a", Name: "two"}, {Type: "b", Name: "one"},
	}
}

func TestExpect(t *testing.T) {
	s, one := &spy{}, recorder.Must(t, sample(), "a", "one")
	recorder.Expect(s, one, map[string]any{"size": 3, "names.0": "x", "names": []any{"x", "hidden"}, "names.2": nil, "absent": nil})
	s.want(t)
	recorder.Expect(s, one, map[string]any{"size": "3", "names": []any{"x"}, "absent": ""})
	s.want(t, "absent = <nil>", "names = [x hidden]", "size = 3 (float64)")
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, `no a named "three"; there are [one two]`) {
			t.Errorf("said %s", said)
		}
	}()
	recorder.Must(s, sample(), "a", "three")
}

func TestExpectCounts(t *testing.T) {
	s := &spy{}
	recorder.ExpectCounts(s, sample(), map[string]int{"a": 2, "b": 1, "c": 0})
	s.want(t)
	recorder.ExpectCounts(s, sample(), map[string]int{"a": 1, "c": 1})
	s.want(t, "2 of a, want 1", "1 of b, want 0", "none of c, want 1")
}

type component struct{ pulumi.ResourceState }

func TestRefuses(t *testing.T) {
	s, wrong := &spy{}, errors.New("size: got 0")
	if err := recorder.Refuses(s, "size", func(*pulumi.Context) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("returned %v", err)
	}
	s.want(t)
	recorder.Refuses(s, "colour", func(*pulumi.Context) error { return wrong })
	s.want(t, `want an error with "colour", got`)
	recorder.Refuses(s, "size", func(*pulumi.Context) error { return nil })
	s.want(t, "got <nil>")
	recorder.Refuses(s, "size", func(ctx *pulumi.Context) error {
		return errors.Join(ctx.RegisterComponentResource("morphee:test:Thing", "thing", &component{}), wrong)
	})
	s.want(t, "morphee:test:Thing thing was registered all the same")
}

func TestPlainText(t *testing.T) {
	v := resource.NewProperty(resource.PropertyMap{
		"a": resource.NewProperty([]resource.PropertyValue{resource.NewProperty("seen"), resource.MakeSecret(resource.NewProperty("hidden"))}),
		"b": resource.NewProperty(resource.Output{Element: resource.NewProperty("hidden"), Known: true, Secret: true}),
		"c": resource.NewProperty(resource.Output{Element: resource.NewProperty("known"), Known: true}),
		"d": resource.MakeSecret(resource.NewProperty(resource.PropertyMap{"e": resource.NewProperty("hidden")})),
		"f": resource.NewProperty(1.0),
	})
	if got := recorder.PlainText(v); got != "seen\nknown\n" {
		t.Errorf("got %q", got)
	}
}
