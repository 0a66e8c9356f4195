package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// File is a stack file as it stands: Pulumi.STACK.yaml, or an example.
type File struct {
	Path            string
	Stack           string         // name of the stack
	Values          map[string]any // by full key, such as morphee:phase or aws:region, with Sealed where it is encrypted
	EncryptionSalt  string
	EncryptedKey    string
	SecretsProvider string
}

// LoadFile reads a stack file and its typed configuration. The file is returned even when the
// configuration in it is wrong, which is an Errors; any other error means that it is no stack file.
func LoadFile(path string) (File, Config, error) {
	f, err := ReadFile(path)
	if err != nil {
		return File{}, Config{}, err
	}
	c, err := Parse(f.Typed())
	return f, c, err
}

// ReadFile reads a stack file without looking at what the keys mean.
func ReadFile(path string) (File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("reading the stack file: %w", err)
	}
	f, err := ParseFile(path, data)
	if err != nil {
		return File{}, fmt.Errorf("reading the stack file %s: %w", path, err)
	}
	return f, nil
}

// ParseFile is ReadFile for text that is at hand. The path only gives the stack its name:
// Pulumi.STACK.yaml is STACK; any other file says it in a `stack:` entry of its own, which the
// ordinary CLI skips, or else is called as the file.
func ParseFile(path string, data []byte) (File, error) {
	var doc struct {
		Stack           string         `yaml:"stack"`
		Config          map[string]any `yaml:"config"`
		EncryptionSalt  string         `yaml:"encryptionsalt"`
		EncryptedKey    string         `yaml:"encryptedkey"`
		SecretsProvider string         `yaml:"secretsprovider"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return File{}, err
	}
	if doc.Config == nil {
		return File{}, errors.New("it has no config: section; see stacks/examples for what one looks like")
	}
	f := File{Path: path, Stack: stackName(path, doc.Stack), Values: map[string]any{}, EncryptionSalt: doc.EncryptionSalt,
		EncryptedKey: doc.EncryptedKey, SecretsProvider: doc.SecretsProvider}
	for key, v := range doc.Config {
		if !strings.Contains(key, ":") {
			key = Namespace + ":" + key
		}
		// pulumi config set --path writes namespace:config:key in old stacks.
		key = strings.Replace(key, ":config:", ":", 1)
		if _, twice := f.Values[key]; twice {
			return File{}, fmt.Errorf("%s is there twice, with and without its namespace", key)
		}
		tree := plain(v)
		if isSingle(tree) && tree != nil {
			// The ordinary CLI hands every single value over as a text.
			tree = fmt.Sprint(tree)
		}
		f.Values[key] = tree
	}
	return f, nil
}

func stackName(path, declared string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".yaml"), ".yml")
	if name, ok := strings.CutPrefix(base, "Pulumi."); ok && name != "" {
		return name
	}
	if declared != "" {
		return declared
	}
	return base
}

// plain turns what YAML decodes to into plain trees, and {secure: …} into Sealed.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["secure"].(string); ok && len(v) == 1 {
			return Sealed{s}
		}
		out := map[string]any{}
		for k, item := range v {
			out[k] = plain(item)
		}
		return out
	case map[any]any:
		out := map[string]any{}
		for k, item := range v {
			out[fmt.Sprint(k)] = item
		}
		return plain(out)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	case string, bool, int, int64, uint64, float64, nil:
		return v
	}
	return fmt.Sprint(v) // dates: YAML reads 2026-02-20 as one
}

func isSingle(v any) bool {
	_, sealed := v.(Sealed)
	return !sealed && !isContainer(v)
}

// Typed returns the values of the project's own namespace, as Parse takes them.
func (f File) Typed() map[string]any {
	out := map[string]any{}
	for key, v := range f.Values {
		if name, ok := strings.CutPrefix(key, Namespace+":"); ok {
			out[name] = v
		}
	}
	return out
}

// Program returns the configuration as a Pulumi program receives it: one text per full key, lists
// and maps as JSON, and the keys that hold anything encrypted. open decrypts; it is given the full
// key path, for a stand-in or a message.
func (f File) Program(open func(path, ciphertext string) (string, error)) (values map[string]string, secretKeys []string, err error) {
	values = map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(f.Values)) {
		opened := 0
		tree, err := unseal(key, f.Values[key], func(path, ciphertext string) (string, error) {
			opened++
			return open(path, ciphertext)
		})
		if err != nil {
			return nil, nil, fmt.Errorf("decrypting the configuration: %w", err)
		}
		if opened > 0 {
			secretKeys = append(secretKeys, key)
		}
		switch v := tree.(type) {
		case nil:
			values[key] = ""
		case string:
			values[key] = v
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", key, err)
			}
			values[key] = string(text)
		}
	}
	return values, secretKeys, nil
}

func unseal(path string, v any, open func(path, ciphertext string) (string, error)) (any, error) {
	switch v := v.(type) {
	case Sealed:
		return open(path, v.Ciphertext)
	case map[string]any:
		out := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			item, err := unseal(join(path, k), v[k], open)
			if err != nil {
				return nil, err
			}
			out[k] = item
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			item, err := unseal(fmt.Sprintf("%s[%d]", path, i), v[i], open)
			if err != nil {
				return nil, err
			}
			out[i] = item
		}
		return out, nil
	}
	return v, nil
}
