// Package rehearsal makes a stack of the project ready for the flight simulator: its configuration
// file read and checked, its encrypted values opened or replaced by stand-ins.
package rehearsal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/secrets/passphrase"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/stacks"
)

// Stack is a stack ready to run, with what the user should know of its configuration.
type Stack struct {
	sim.Stack
	Config   config.Config
	Arg      string            // as the user named it
	Opened   map[string]string // encrypted values of the configuration (or their stand-ins) by key path
	Warnings []string
}

// Load reads the configuration of a stack: a name (Pulumi.NAME.yaml in the project) or the path of
// a configuration file. The whole configuration is checked before anything else is touched. name, when not empty, is used
// instead of the name that the file gives. The error is a config.Errors when the configuration is wrong.
func Load(arg, name string) (*Stack, error) {
	path, err := StackFile(arg)
	if err != nil {
		return nil, err
	}
	file, cfg, err := config.LoadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if name == "" {
		name = file.Stack
	}
	out := &Stack{Arg: arg, Config: cfg}
	open, err := opener(file, &out.Warnings)
	if err != nil {
		return nil, err
	}
	out.Opened = map[string]string{}
	values, secret, err := file.Program(func(path, ciphertext string) (string, error) {
		text, err := open(path, ciphertext)
		out.Opened[path] = text
		return text, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out.Stack = sim.Stack{Project: config.Namespace, Name: name, Program: stacks.Program, Config: values, Secret: secret}
	return out, nil
}

// StackFile finds the file: a path is taken as it is, a name is looked for in the project's folder.
func StackFile(arg string) (string, error) {
	if strings.ContainsRune(arg, '/') || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") {
		return arg, nil
	}
	root, err := ProjectRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "Pulumi."+arg+".yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no stack %q: %s does not exist; the stacks are %s; a path of a configuration file works too, "+
			"such as stacks/examples/phase0.yaml", arg, filepath.Base(path), strings.Join(stackNames(root), ", "))
	}
	return path, nil
}

// ProjectRoot is the nearest folder upwards that has a Pulumi.yaml.
func ProjectRoot() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := at; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no Pulumi.yaml in %s or above it: run this in the project's folder", at)
		}
	}
}

func stackNames(root string) []string {
	var out []string
	files, _ := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	for _, f := range files {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "Pulumi."), ".yaml"))
	}
	slices.Sort(out)
	return out
}

// opener decrypts encrypted configuration values when the stack's passphrase is there. Without it
// each value gets a stand-in: nothing real is deployed, and a rehearsal must not need the real secret.
func opener(file config.File, warnings *[]string) (func(path, ciphertext string) (string, error), error) {
	phrase, ok := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE")
	if ok && file.EncryptionSalt != "" {
		m, err := passphrase.GetPassphraseSecretsManager(phrase, file.EncryptionSalt)
		if err != nil {
			return nil, fmt.Errorf("PULUMI_CONFIG_PASSPHRASE does not open %s (%w): set the right one, or unset it to rehearse with stand-ins", file.Path, err)
		}
		return func(path, ciphertext string) (string, error) {
			return m.Decrypter().DecryptValue(context.Background(), ciphertext)
		}, nil
	}
	said := false
	return func(path, _ string) (string, error) {
		if !said {
			*warnings = append(*warnings, "encrypted configuration values are replaced by stand-ins, because PULUMI_CONFIG_PASSPHRASE is not set")
			said = true
		}
		sum := sha256.Sum256([]byte("stand-in for " + path))
		text := standIn + hex.EncodeToString(sum[:16])
		if config.FormatOf(path) == "https-url" { // the program checks it
			text = standInURL + text
		}
		return text, nil
	}, nil
}

// standIn begins what is used in place of a secret that could not be opened.
const (
	standIn    = "standin"
	standInURL = "https://stand-in.invalid/"
)

// IsStandIn tells whether a value is used in place of a secret that could not be opened.
func IsStandIn(value string) bool {
	return strings.HasPrefix(strings.TrimPrefix(value, standInURL), standIn)
}
