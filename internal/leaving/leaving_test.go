package leaving_test

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/leaving"
)

func TestWhatLeaves(t *testing.T) {
	const regions = `{"regions":[{"name":"us-east-1","index":1},{"name":"us-west-2","index":2,"state":"STATE"}]}`
	const retire = `{"from":2,"retire":{"state":"STATE","confirm":["vps","forgejo","database"]}}`
	for _, c := range []struct {
		name              string
		config            map[string]string
		resource          string
		retiring, retired bool
		reason            string
	}{
		{"a region that retires", with("aws", regions, "retiring"), "aws-usw2-database", true, false, "retiring: morphee:aws.regions, us-west-2"},
		{"a retired region", with("aws", regions, "retired"), "aws-usw2-database", true, true, "retired: morphee:aws.regions, us-west-2"},
		{"another region", with("aws", regions, "retired"), "aws-use1-database", false, false, ""},
		{"the first region", with("aws", regions, "retired"), "aws-database", false, false, ""},
		{"an active region", with("aws", regions, "active"), "aws-usw2-database", false, false, ""},
		{"no more than a like beginning", with("aws", regions, "retired"), "aws-usw22-database", false, false, ""},
		{"a confirmed thing", with("migration", retire, "retiring"), "vps", true, false, "retiring: morphee:migration.retire.confirm"},
		{"part of one", with("migration", retire, "retired"), "vps-data", true, true, "retired: morphee:migration.retire.confirm"},
		{"a longer word", with("migration", retire, "retired"), "vpsx", false, false, ""},
		{"what is not confirmed", with("migration", retire, "retired"), "postgres-data", false, false, ""},
		{"what both platforms share", with("migration", retire, "retired"), "forgejo-credentials-secret-key", false, false, ""},
		{"no retirement", with("migration", retire, "none"), "vps", false, false, ""},
		{"no configuration", nil, "vps", false, false, ""},
		{"what cannot be read", map[string]string{"morphee:aws": "{", "morphee:migration": `{"retire":"retired"}`}, "vps", false, false, ""},
		{"no region's name", map[string]string{"morphee:aws": `{"regions":[{"name":"moon","state":"retired"}]}`}, "aws-database", false, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := leaving.New(c.config)
			if s.Retiring(c.resource) != c.retiring || s.Retired(c.resource) != c.retired || s.Reason(c.resource) != c.reason {
				t.Errorf("%s: retiring %v, retired %v, reason %q", c.resource, s.Retiring(c.resource), s.Retired(c.resource), s.Reason(c.resource))
			}
		})
	}
}

func with(key, text, state string) map[string]string {
	return map[string]string{"morphee:" + key: strings.ReplaceAll(text, "STATE", state)}
}

func TestPrefix(t *testing.T) {
	for region, want := range map[string]string{
		"us-west-2": "aws-usw2", "eu-central-1": "aws-euc1", "ap-southeast-2": "aws-apse2", "moon": "", "": "", "eu-middle-1": "",
	} {
		if got := leaving.Prefix(region); got != want {
			t.Errorf("%s: %q, want %q", region, got, want)
		}
	}
}
