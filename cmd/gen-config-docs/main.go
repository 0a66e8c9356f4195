// Command gen-config-docs writes what is derived from the types of the configuration:
// docs/config.md, docs/config.schema.json and the config section of Pulumi.yaml. With -check it
// writes nothing and fails when one of them is stale.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/morphee-app/morphee-infra/internal/config/configdoc"
)

func main() {
	root := flag.String("root", ".", "folder of the project")
	check := flag.Bool("check", false, "write nothing; fail when a file is stale")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen-config-docs:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	files, err := configdoc.Files(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(root, f.Path)
		current, err := os.ReadFile(path)
		if err == nil && string(current) == f.Text {
			continue
		}
		if check {
			return fmt.Errorf("%s is stale; run: go run ./cmd/gen-config-docs", f.Path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", f.Path)
	}
	return nil
}
