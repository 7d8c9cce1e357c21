package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"unicode"
)

// secretDoc is a secret that we present to somebody else: where it is, or, with dev, its SHA-256 in hex once it was read.
type secretDoc struct{ Env, File, Literal string }

// secret decodes the forms of a secret.
func (d *decoder) secret(v any, path string) secretDoc {
	tree, ok := v.(map[string]any)
	if !ok {
		text, _ := d.text(v, path)
		return secretDoc{Literal: text}
	}
	var out secretDoc
	for _, name := range names(secretKeys()) {
		text := ""
		if written, there := tree[name]; there {
			text, _ = d.text(written, joinPath(path, name))
		}
		if name == "env" {
			out.Env = text
		} else {
			out.File = text
		}
	}
	for name := range tree {
		if _, known := find(secretKeys(), name); !known {
			d.unknown(secretKeys(), name, joinPath(path, name))
		}
	}
	if len(tree) != 1 && !d.faulty(path) {
		d.fault(path, fmt.Sprintf("%d places for one secret", len(tree)), "write exactly one of "+strings.Join(names(secretKeys()), ", "))
	}
	return out
}

// literal writes where the secret is; of one that stood here, the first digits of its hash.
func (s secretDoc) literal() string {
	switch {
	case s.Env != "":
		return braces([]string{"env = " + quote(s.Env)})
	case s.File != "":
		return braces([]string{"file = " + quote(s.File)})
	}
	return literalOf(s.Literal, true)
}

// secretValue fetches a secret; "" if there is none, or a fault was reported. From here on the document holds no secret.
func (l *loader) secretValue(path string, s *secretDoc) string {
	const remedy = `write client_secret = { env = "NAME" } or { file = "…" }`
	var value string
	switch {
	case l.faulty(path):
		return ""
	case s.Literal != "":
		value = s.Literal
		sum := sha256.Sum256([]byte(value))
		s.Literal = hex.EncodeToString(sum[:])
		if !l.doc.Dev {
			l.fault(path, "a literal secret outside dev mode", remedy)
		}
		return value
	case s.Env != "":
		value = os.Getenv(s.Env)
		if value == "" {
			l.fault(path+".env", fmt.Sprintf("the environment variable %s is not set, or empty", s.Env), "set it for the broker's process, or write { file = \"…\" }")
		}
	case s.File != "":
		b, ok := l.read(path+".file", s.File)
		s.File = l.resolve(path, s.File)
		l.private(path+".file", s.File)
		value = strings.TrimRight(string(b), "\r\n")
		if ok && value == "" {
			l.fault(path+".file", s.File+" is empty", "put the secret into it")
		}
	}
	if strings.IndexFunc(value, unicode.IsControl) >= 0 {
		l.fault(path, "the secret holds a control character", "write it on one line")
	}
	return value
}
