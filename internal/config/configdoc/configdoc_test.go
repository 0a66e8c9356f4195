package configdoc_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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

// A message that sends people to a key must not send them to one that does not exist.
func TestKeysNamedInMessagesExist(t *testing.T) {
	model, err := configdoc.Model()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	var note func([]configdoc.Entry)
	note = func(list []configdoc.Entry) {
		for _, e := range list {
			known[e.Path] = true
			note(e.Children)
		}
	}
	note(model)
	named := regexp.MustCompile(`"morphee:([a-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*)"`)
	for _, folder := range []string{"components", "phases"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return nil // a folder that is not there yet names no keys
			}
			text, err := os.ReadFile(path)
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				if !known[m[1]] {
					t.Errorf("%s names morphee:%s, which is not a key", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestProjectFileNeedsItsMark(t *testing.T) {
	if _, err := configdoc.ProjectFile("name: morphee\n"); err == nil {
		t.Error("a project file without the mark would lose what is written by hand")
	}
}
