// Command gen-policy-docs writes docs/policies.md from the rules. With -check it writes nothing and
// fails when the page is stale.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/morphee-app/morphee-infra/policy/packs"
	"github.com/morphee-app/morphee-infra/policy/policydoc"
)

func main() {
	root := flag.String("root", ".", "folder of the project")
	check := flag.Bool("check", false, "write nothing; fail when the page is stale")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen-policy-docs:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	path := filepath.Join(root, policydoc.Path)
	page := policydoc.Page(packs.All())
	if current, err := os.ReadFile(path); err == nil && string(current) == page {
		return nil
	}
	if check {
		return fmt.Errorf("%s is stale; run: go run ./cmd/gen-policy-docs", policydoc.Path)
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", policydoc.Path)
	return nil
}
