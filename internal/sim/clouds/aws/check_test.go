package aws

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

func matches(t *testing.T, what, got, form string) {
	t.Helper()
	if !regexp.MustCompile(form).MatchString(got) {
		t.Errorf("%s: got %q, want the form %s", what, got, form)
	}
}

// replaced asserts which inputs, if any, replace the resource when the change is made.
func replaced(t *testing.T, s *simtest.Sim, r *cloud.Resource, change props, want string) {
	t.Helper()
	d := s.Diff(r, with(plainProps(r), change))
	var got []string
	for _, k := range d.ReplaceKeys {
		got = append(got, string(k))
	}
	slices.Sort(got)
	if strings.Join(got, ",") != want {
		t.Errorf("changing %v of %s replaces for [%s], want [%s]", change, r.Type, strings.Join(got, ","), want)
	}
	if len(d.ChangedKeys) == 0 {
		t.Errorf("changing %v of %s is no change", change, r.Type)
	}
}
