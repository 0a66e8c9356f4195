package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// worldFile is world.json. Secret properties are encrypted with the state folder's key: the world
// remembers what a real cloud would, but nobody can read a secret in it.
type worldFile struct {
	Simulated bool            `json:"simulated"`
	Version   int             `json:"version"`
	Seed      string          `json:"seed"`
	Created   map[string]int  `json:"created"`
	Resources []worldResource `json:"resources"`
}

type worldResource struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	Scope  string         `json:"scope"`
	URN    string         `json:"urn,omitempty"`
	Inputs map[string]any `json:"inputs"`
	State  map[string]any `json:"state"`
	Secret []string       `json:"secret,omitempty"`
}

const worldVersion = 1

func readWorld(path, seed string, m *manager) (*cloud.World, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return cloud.NewWorld(seed), nil
	} else if err != nil {
		return nil, err
	}
	var f worldFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	if f.Version != worldVersion {
		return nil, fmt.Errorf("%s has version %d, this program reads version %d", path, f.Version, worldVersion)
	}
	w := cloud.NewWorld(f.Seed)
	for urn, n := range f.Created {
		w.Created()[urn] = n
	}
	for _, r := range f.Resources {
		one := &cloud.Resource{Type: r.Type, ID: r.ID, Scope: r.Scope, URN: r.URN, Secret: r.Secret}
		if one.In, err = openProperties(r.Inputs, r.Secret, m); err == nil {
			one.Out, err = openProperties(r.State, r.Secret, m)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: resource %s: %w", path, r.ID, err)
		}
		w.Put(one)
	}
	return w, nil
}

func writeWorld(ctx context.Context, path string, w *cloud.World, m *manager) error {
	w.Lock()
	defer w.Unlock()
	f := worldFile{Simulated: true, Version: worldVersion, Seed: w.Seed, Created: w.Created(), Resources: []worldResource{}}
	for _, r := range w.All("", "") {
		in, err := sealProperties(ctx, r.In, r.Secret, m)
		if err != nil {
			return err
		}
		out, err := sealProperties(ctx, r.Out, r.Secret, m)
		if err != nil {
			return err
		}
		f.Resources = append(f.Resources, worldResource{r.Type, r.ID, r.Scope, r.URN, in, out, r.Secret})
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// sealed is an encrypted property in world.json.
type sealed struct {
	Ciphertext string `json:"ciphertext"`
}

func sealProperties(ctx context.Context, in cloud.Object, secret []string, m *manager) (map[string]any, error) {
	out := map[string]any{}
	for k, v := range in {
		if !slices.Contains(secret, k) {
			out[k] = v
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		cipher, err := m.crypter.EncryptValue(ctx, string(text))
		if err != nil {
			return nil, fmt.Errorf("encrypting %s: %w", k, err)
		}
		out[k] = sealed{cipher}
	}
	return out, nil
}

func openProperties(in map[string]any, secret []string, m *manager) (cloud.Object, error) {
	out := cloud.Object{}
	for k, v := range in {
		if !slices.Contains(secret, k) {
			out[k] = cloud.Plain(v)
			continue
		}
		box, _ := v.(map[string]any)
		cipher, _ := box["ciphertext"].(string)
		text, err := m.crypter.DecryptValue(context.Background(), cipher)
		if err != nil {
			return nil, fmt.Errorf("property %s cannot be decrypted with this folder's key: %w", k, err)
		}
		var plain any
		if err := json.Unmarshal([]byte(text), &plain); err != nil {
			return nil, err
		}
		out[k] = cloud.Plain(plain)
	}
	return out, nil
}
