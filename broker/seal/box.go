package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
)

// KeySize is the least length of a Box's key, in bytes.
const KeySize = 32

// ErrOpen is returned for every text that does not open: changed, cut, of another purpose, of another key, not sealed at all. It
// never says which.
var ErrOpen = errors.New("seal: the text cannot be opened")

// Box seals and opens. It is safe for concurrent use.
type Box struct {
	key   []byte
	aeads sync.Map // purpose → cipher.AEAD: purposes are few, and deriving a key costs more than using it
}

// New makes a box of a secret key. There is no default: it panics with fewer than KeySize bytes (THREATS A107).
func New(key []byte) *Box {
	if len(key) < KeySize {
		panic(fmt.Sprintf("seal: a key of %d bytes; it takes at least %d", len(key), KeySize))
	}
	return &Box{key: append([]byte(nil), key...)}
}

// Seal encrypts plain with AES-256-GCM under a key of its purpose, and returns base64url without padding: 28 bytes longer than
// plain before encoding. The same input gives another text each time; at most 2³² texts may be sealed for one purpose and key
// (NIST SP 800-38D §8.3). purpose is a constant of the program.
func (b *Box) Seal(purpose string, plain []byte) string {
	return base64.RawURLEncoding.EncodeToString(b.aead(purpose).Seal(nil, nil, plain, []byte(purpose)))
}

// Open is Seal's inverse; any failure is ErrOpen. Every text has one spelling: padding, line breaks and stray bits are refused.
func (b *Box) Open(purpose, text string) ([]byte, error) {
	if !canonical(text) {
		return nil, ErrOpen
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrOpen
	}
	plain, err := b.aead(purpose).Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// canonical reports whether text holds base64url's letters only: the decoder would skip line breaks.
func canonical(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// aead is the cipher of a purpose.
func (b *Box) aead(purpose string) cipher.AEAD {
	if ready, ok := b.aeads.Load(purpose); ok {
		return ready.(cipher.AEAD)
	}
	ready, _ := b.aeads.LoadOrStore(purpose, b.derive(purpose))
	return ready.(cipher.AEAD)
}

func (b *Box) derive(purpose string) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, b.key, nil, "apostille-seal-v1:"+purpose, KeySize)
	if err != nil {
		panic(err) // only for an absurd length
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for an absurd length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for another cipher
	}
	return aead
}
