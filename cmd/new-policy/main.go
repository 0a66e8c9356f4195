// Command new-policy begins a policy: it writes a rule that wants one property to be set, and its test,
// into a pack. docs/write-a-policy.md says how to go on.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/morphee-app/morphee-infra/policy/packs"
)

//go:embed rule.go.tmpl
var ruleTemplate string

//go:embed test.go.tmpl
var testTemplate string

// policy is what is known of the new rule.
type policy struct{ Pack, ID, Type string }

func main() {
	var p policy
	root := flag.String("root", ".", "folder of the project")
	flag.StringVar(&p.Pack, "pack", "", "isolation, secrets, durability or hygiene")
	flag.StringVar(&p.ID, "id", "", "id of the rule: small letters and dashes")
	flag.StringVar(&p.Type, "type", "", "type token of the resources it looks at, such as aws:sqs/queue:Queue")
	flag.Parse()
	if err := run(*root, p); err != nil {
		fmt.Fprintln(os.Stderr, "new-policy:", err)
		os.Exit(1)
	}
}

var (
	idPattern   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	typePattern = regexp.MustCompile(`^[a-z]+:[A-Za-z0-9/]+:[A-Za-z0-9]+$`)
)

func run(root string, p policy) error {
	var wrong []error
	if _, err := os.Stat(filepath.Join(root, "policy", p.Pack, "pack.go")); p.Pack == "" || err != nil {
		wrong = append(wrong, fmt.Errorf("-pack %q: want isolation, secrets, durability or hygiene", p.Pack))
	}
	if !idPattern.MatchString(p.ID) {
		wrong = append(wrong, fmt.Errorf("-id %q: want two words or more of small letters with dashes between, such as queue-encrypted", p.ID))
	} else if pack, _, taken := packs.Find(p.ID); taken {
		wrong = append(wrong, fmt.Errorf("-id %s: %s has a rule of that id", p.ID, pack.Name))
	}
	if !typePattern.MatchString(p.Type) {
		wrong = append(wrong, fmt.Errorf("-type %q: want a type token such as aws:sqs/queue:Queue", p.Type))
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for suffix, text := range map[string]string{".go": ruleTemplate, "_test.go": testTemplate} {
		path := filepath.Join("policy", p.Pack, strings.ReplaceAll(p.ID, "-", "_")+suffix)
		if err := p.write(filepath.Join(root, path), text); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	fmt.Printf("now add %s to the slices.Concat of policy/%s/pack.go\n", p.Var(), p.Pack)
	return nil
}

func (p policy) write(path, text string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	var b bytes.Buffer
	if err := template.Must(template.New("file").Parse(text)).Execute(&b, p); err != nil {
		return err
	}
	code, err := format.Source(b.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, code, 0o644)
}

// Var is the name of the list in the code.
func (p policy) Var() string {
	parts := strings.Split(p.ID, "-")
	for i, s := range parts[1:] {
		parts[i+1] = strings.ToUpper(s[:1]) + s[1:]
	}
	return strings.Join(parts, "")
}

// Test is the name of the test in the code.
func (p policy) Test() string { return strings.ToUpper(p.Var()[:1]) + p.Var()[1:] }
