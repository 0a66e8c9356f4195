// Command split turns a provider-facts.json into the files under data/: one file per provider, one
// line per type, sorted, so that a change of a fact is one changed line.
//
//	go run ./internal/sim/facts/split provider-facts.json internal/sim/facts/data
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// corrections mend facts that were read wrongly, so that splitting anew keeps them mended.
var corrections = []struct {
	token, input, remove string
	why                  string
}{
	{"aws:secretsmanager/secret:Secret", "recoveryWindowInDays", "min", "the validator allows 0 as well as 7 to 30"},
}

// correct applies the corrections of one entry.
func correct(token string, entry json.RawMessage) (json.RawMessage, error) {
	for _, c := range corrections {
		if c.token != token {
			continue
		}
		var e map[string]json.RawMessage
		var inputs map[string]map[string]any
		if err := json.Unmarshal(entry, &e); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(e["inputs"], &inputs); err != nil {
			return nil, err
		}
		delete(inputs[c.input], c.remove)
		inputs[c.input]["correctedFrom"] = c.why
		var err error
		if e["inputs"], err = json.Marshal(inputs); err != nil {
			return nil, err
		}
		if entry, err = json.Marshal(e); err != nil {
			return nil, err
		}
	}
	return entry, nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "split:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: split FACTS.json FOLDER")
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("reading %s: %w", args[0], err)
	}
	lines := map[string][]string{}
	for token, entry := range all {
		pkg, _, _ := strings.Cut(token, ":")
		if pkg == "pulumi" {
			pkg = "providers"
		}
		entry, err := correct(token, entry)
		if err != nil {
			return fmt.Errorf("correcting %s: %w", token, err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, entry); err != nil {
			return fmt.Errorf("%s: %w", token, err)
		}
		lines[pkg] = append(lines[pkg], fmt.Sprintf("{%q:%s}\n", token, compact.String()))
	}
	for pkg, list := range lines {
		slices.Sort(list)
		if err := os.WriteFile(filepath.Join(args[1], pkg+".jsonl"), []byte(strings.Join(list, "")), 0o644); err != nil {
			return err
		}
	}
	return nil
}
