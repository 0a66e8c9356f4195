package configdoc

import (
	"fmt"
	"os"
	"path/filepath"
)

// File is one derived file, by its path inside the project.
type File struct{ Path, Text string }

// Files returns every derived file as it should be. It reads Pulumi.yaml below root, whose upper
// part is written by hand.
func Files(root string) ([]File, error) {
	page, err := Markdown()
	if err != nil {
		return nil, err
	}
	schema, err := JSONSchema()
	if err != nil {
		return nil, err
	}
	current, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the project file: %w", err)
	}
	project, err := ProjectFile(string(current))
	if err != nil {
		return nil, err
	}
	return []File{{"Pulumi.yaml", project}, {"docs/config.md", page}, {"docs/config.schema.json", schema}}, nil
}
