package configdoc_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/config/configdoc"
)

var root = filepath.Join("..", "..", "..")

// The derived files must be what the types say now.
func TestDerivedFilesAreCurrent(t *testing.T) {
	files, err := configdoc.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		current, err := os.ReadFile(filepath.Join(root, f.Path))
		if err != nil || string(current) != f.Text {
			t.Errorf("%s is stale; run: go run ./cmd/gen-config-docs", f.Path)
		}
	}
}

// Every key must be on the page, in the model and in the editors' schema.
func TestEveryKeyIsEverywhere(t *testing.T) {
	page, err := configdoc.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	text, err := configdoc.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Config struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	n := 0
	var visit func(path string, rt reflect.Type, properties map[string]any)
	visit = func(path string, rt reflect.Type, properties map[string]any) {
		for _, f := range reflect.VisibleFields(rt) {
			key, sub := f.Tag.Get("key"), strings.TrimPrefix(path+"."+f.Tag.Get("key"), ".")
			if path == "" {
				key = config.Namespace + ":" + key
			}
			inSchema, ok := properties[key].(map[string]any)
			if !ok {
				t.Errorf("%s is not in the schema", sub)
				continue
			}
			if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[config.Secret]() {
				inner, _ := inSchema["properties"].(map[string]any)
				visit(sub, f.Type, inner)
				continue
			}
			n++
			if !strings.Contains(page, "#### `"+sub+"`\n") {
				t.Errorf("%s is not on the page", sub)
			}
		}
	}
	visit("", reflect.TypeFor[config.Config](), schema.Properties.Config.Properties)
	if n < 150 {
		t.Errorf("only %d keys were looked at", n)
	}
}

func TestProjectFileNeedsItsMark(t *testing.T) {
	if _, err := configdoc.ProjectFile("name: morphee\n"); err == nil {
		t.Error("a project file without the mark would lose what is written by hand")
	}
}
