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
