package random

import (
	"encoding/base64"
	"fmt"

	//lint:ignore SA1019 bcrypt is made of it
	"golang.org/x/crypto/blowfish"
)

// cost is bcrypt's least. The real provider takes 10; every hash names its own cost, so this one
// verifies just as well, and 64 times as fast.
const cost = 4

var bcryptEncoding = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

// bcrypt hashes the password's first 72 bytes. golang.org/x/crypto/bcrypt chooses its salt itself,
// which would make every run of the simulator different.
func bcrypt(password string, salt []byte) (string, error) {
	key := append([]byte(password)[:min(len(password), 72)], 0)
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return "", err
	}
	for range 1 << cost {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	sum := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(sum); i += 8 {
		for range 64 {
			c.Encrypt(sum[i:i+8], sum[i:i+8])
		}
	}
	return fmt.Sprintf("$2a$%02d$%s%s", cost, bcryptEncoding.EncodeToString(salt), bcryptEncoding.EncodeToString(sum[:23])), nil
}
