package hetzner

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
)

var notLabel = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// label makes a text fit for a label's key or value: at most 63 letters, digits, dots, dashes and
// underscores, with a letter or digit at both ends.
func label(s string) string {
	s = notLabel.ReplaceAllString(s, "-")
	if len(s) > 63 {
		s = s[:63]
	}
	return strings.Trim(s, "._-")
}

// labels are the governance tags as Hetzner takes them. Keys without anything left are dropped.
func labels(t base.Tags) pulumi.StringMap {
	m := pulumi.StringMap{}
	for k, v := range t.Map() {
		if k := label(k); k != "" {
			m[k] = pulumi.String(label(v))
		}
	}
	// Two extra keys may have become one of the four; these always win.
	four := base.Tags{Project: t.Project, Stack: t.Stack, Phase: t.Phase, Owner: t.Owner}
	for k, v := range four.Map() {
		m[k] = pulumi.String(label(v))
	}
	return m
}

// physical is a name at Hetzner: unique per project there, and fit for a host name.
func physical(t base.Tags, name string) string {
	s := strings.ToLower(t.Project + "-" + t.Stack + "-" + name)
	s = strings.NewReplacer("_", "-", ".", "-").Replace(label(s))
	return strings.Trim(s, "-")
}

// keyID names a public key by its own content, so that reordering a list or correcting a comment
// renames nothing.
func keyID(publicKey string) string {
	fields := strings.Fields(publicKey)
	sum := sha256.Sum256([]byte(fields[0] + " " + fields[1]))
	return hex.EncodeToString(sum[:])[:10]
}
