// Package stacks turns a stack's configuration into its resources.
package stacks

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// Load reads the stack's typed configuration. The error, if any, is a config.Errors with every
// problem, and nothing may be registered then.
//
// It works the same whether the ordinary CLI started the program or the engine runs in this
// process. Pulumi has no way to list the keys there are, only to ask for one by name; where the
// CLI's own list is at hand, unknown keys of the project's namespace are found through it.
func Load(ctx *pulumi.Context) (config.Config, error) {
	values := map[string]any{}
	for _, key := range config.Keys() {
		take(ctx, values, key)
	}
	for _, key := range listed(ctx, os.Getenv(pulumi.EnvConfig)) {
		take(ctx, values, key)
	}
	return config.Parse(values)
}

// Secret is a configured secret as a Pulumi secret. It is the only way from one to the other.
func Secret(s config.Secret) pulumi.StringOutput {
	return pulumi.ToSecret(pulumi.String(s.Reveal())).(pulumi.StringOutput)
}

// take reads one key into values, hidden when anything in it was encrypted.
func take(ctx *pulumi.Context, values map[string]any, key string) {
	full := config.Namespace + ":" + key
	text, ok := ctx.GetConfig(full)
	if !ok {
		return
	}
	tree := any(text)
	if !config.Scalar(key) {
		tree = decodeTree(text)
	}
	if ctx.IsConfigSecret(full) {
		tree = config.Hidden{Value: tree}
	}
	values[key] = tree
}

// decodeTree reads a list or map, which Pulumi hands over as JSON. Anything else stays the text it is,
// for the decoder to complain about.
func decodeTree(text string) any {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return text
	}
	if _, err := dec.Token(); err != io.EOF {
		return text
	}
	return tree
}

// listed returns the project's keys in the list that the ordinary CLI gives a program in its
// environment. The list is only believed when it agrees with the context: an engine in this
// process may run a program whose configuration has nothing to do with the environment.
func listed(ctx *pulumi.Context, env string) []string {
	var all map[string]string
	if env == "" || json.Unmarshal([]byte(env), &all) != nil {
		return nil
	}
	var keys []string
	for full, text := range all {
		if got, ok := ctx.GetConfig(full); !ok || got != text {
			return nil
		}
		if key, ours := strings.CutPrefix(full, config.Namespace+":"); ours {
			keys = append(keys, key)
		}
	}
	return keys
}
