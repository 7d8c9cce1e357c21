package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyFileIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "apostille.key")
	if err := NewKEKFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v", info.Mode(), err)
	}
	if err := NewKEKFile(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	kek, err := ReadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := kek.unwrap(kek.wrap([]byte("secret"), "row 1"), "row 1")
	if err != nil || string(plain) != "secret" {
		t.Errorf("unwrapped %q, error %v", plain, err)
	}
}

func TestAWrappedKeyOpensOnlyInItsRowAndWithItsKeyFile(t *testing.T) {
	t.Parallel()
	kek, other := newKEK(t, 1), newKEK(t, 2)
	sealed := kek.wrap([]byte("secret"), "row 1")
	if again := kek.wrap([]byte("secret"), "row 1"); string(again) == string(sealed) {
		t.Error("the same key wraps to the same bytes twice")
	}
	flipped := append([]byte(nil), sealed...)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		kek    *KEK
		sealed []byte
		label  string
	}{
		"another row": {kek, sealed, "row 2"}, "another key file": {other, sealed, "row 1"}, "a flipped bit": {kek, flipped, "row 1"},
		"a cut": {kek, sealed[:10], "row 1"}, "nothing": {kek, nil, "row 1"},
	} {
		if plain, err := c.kek.unwrap(c.sealed, c.label); err == nil {
			t.Errorf("%s opens it: %q", name, plain)
		}
	}
}

func TestASecretIsDerivedPerKeyFileAndLabel(t *testing.T) {
	t.Parallel()
	kek, same, other := newKEK(t, 1), newKEK(t, 1), newKEK(t, 2)
	secret := string(kek.Derive("seal"))
	if len(secret) != 32 || string(same.Derive("seal")) != secret {
		t.Errorf("%d bytes, or not the same for the same key and label", len(secret))
	}
	if string(kek.Derive("pairwise")) == secret || string(other.Derive("seal")) == secret || secret == string(kek.raw[:]) {
		t.Error("another label or key gives the same secret")
	}
}

func TestAFileThatIsNoKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "another file": "issuer = \"x\"", "too short": kekPrefix + "AAAA", "not base64": kekPrefix + "????",
		"a second key": kekPrefix + strings.Repeat("A", 43) + "=\n" + kekPrefix + strings.Repeat("A", 43) + "=",
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKEKFile(path); err == nil {
			t.Errorf("%s: accepted", name)
		} else if text != "" && strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	if _, err := ReadKEKFile(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "apostille init") {
		t.Errorf("a missing file: %v", err)
	}
}

func newKEK(t testing.TB, seed byte) *KEK {
	t.Helper()
	kek, err := NewKEK([32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return kek
}
