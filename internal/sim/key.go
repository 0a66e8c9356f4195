package sim

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/pkg/v3/secrets/passphrase"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

// keyFile is the key of a state folder. The derived key is kept beside the passphrase because
// deriving it takes as long as a whole deployment; both protect simulated secrets only.
type keyFile struct {
	About      string `json:"about"`
	Passphrase string `json:"passphrase"`
	Salt       string `json:"salt"` // the state of Pulumi's passphrase secrets manager
	Key        string `json:"key"`  // derived from passphrase and salt, base64
}

// manager encrypts with a key that is there already. To Pulumi it is the passphrase manager: a
// state written by it opens in the ordinary CLI with the passphrase.
type manager struct {
	state   json.RawMessage
	crypter config.Crypter
}

func (m *manager) Type() string                { return passphrase.Type }
func (m *manager) State() json.RawMessage      { return m.state }
func (m *manager) Encrypter() config.Encrypter { return m.crypter }
func (m *manager) Decrypter() config.Decrypter { return m.crypter }

// OfType lets the engine open a deployment that was encrypted with this key.
func (m *manager) OfType(_ context.Context, typ string, state json.RawMessage) (secrets.Manager, error) {
	if typ != passphrase.Type {
		return nil, fmt.Errorf("the state is encrypted with %q; the simulator only opens what it wrote itself", typ)
	}
	var have, want struct{ Salt string }
	if err := errors.Join(json.Unmarshal(state, &have), json.Unmarshal(m.state, &want)); err != nil {
		return nil, fmt.Errorf("reading the state's secrets manager: %w", err)
	}
	if have.Salt != want.Salt {
		return nil, errors.New("the state was encrypted with another key than key.json of this state folder")
	}
	return m, nil
}

// openKey reads the folder's key, or makes one.
func openKey(dir string) (*manager, error) {
	path := filepath.Join(dir, "key.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err = NewKey(); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		if err := writeFile(path, data); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return parseKey(path, data)
}

// UseKey gives the folder a key made by NewKey, in place of one of its own. What is already encrypted in
// the folder with another key cannot be read any more.
func (s Store) UseKey(key []byte) error {
	path := filepath.Join(s.Dir, "key.json")
	if _, err := parseKey(path, key); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return writeFile(path, key)
}

func parseKey(path string, data []byte) (*manager, error) {
	var k keyFile
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): remove the state folder to start afresh", path, err)
	}
	key, err := base64.StdEncoding.DecodeString(k.Key)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s is damaged: its key is not 32 bytes in base64; remove the state folder to start afresh", path)
	}
	state, err := json.Marshal(map[string]string{"salt": k.Salt})
	if err != nil {
		return nil, err
	}
	return &manager{state: state, crypter: config.NewSymmetricCrypter(key)}, nil
}

// NewKey makes the content of a key file. It takes some tenths of a second, so that whoever needs many
// state folders makes one and gives it to each with UseKey.
func NewKey() ([]byte, error) {
	phrase, salt := make([]byte, 24), make([]byte, 8)
	rand.Read(phrase) // never fails: crypto/rand ends the program instead
	rand.Read(salt)
	k := keyFile{
		About:      "Key of the simulated states in this folder. It protects nothing real.",
		Passphrase: base64.RawURLEncoding.EncodeToString(phrase),
	}
	// The derivation of Pulumi's passphrase manager, version v1.
	key, err := pbkdf2.Key(sha256.New, k.Passphrase, salt, 1_000_000, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	proof, err := config.NewSymmetricCrypter(key).EncryptValue(context.Background(), "pulumi")
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	k.Salt = "v1:" + base64.StdEncoding.EncodeToString(salt) + ":" + proof
	k.Key = base64.StdEncoding.EncodeToString(key)
	return json.MarshalIndent(k, "", "  ")
}

// writeFile writes a file readable by its owner only, wholly or not at all.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
