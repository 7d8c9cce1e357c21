package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestASealedTextOpensForItsPurposeAndKeyOnly(t *testing.T) {
	t.Parallel()
	box, other := New(bytes.Repeat([]byte{1}, 32)), New(bytes.Repeat([]byte{2}, 32))
	text := box.Seal("picker", []byte("the request"))
	if plain, err := box.Open("picker", text); err != nil || string(plain) != "the request" {
		t.Fatalf("opened %q, error %v", plain, err)
	}
	if again := box.Seal("picker", []byte("the request")); again == text {
		t.Error("the same plain text is sealed to the same text twice")
	}
	if strings.Contains(text, base64.RawURLEncoding.EncodeToString([]byte("the request"))) {
		t.Error("the text shows what it holds")
	}
	flipped := []byte(text)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		box           *Box
		purpose, text string
	}{
		"another purpose":  {box, "session", text},
		"another key":      {other, "picker", text},
		"a changed letter": {box, "picker", string(flipped)},
		"a cut text":       {box, "picker", text[:len(text)-4]},
		"nothing":          {box, "picker", ""},
		"padding":          {box, "picker", text + "="},
		"a line break":     {box, "picker", text[:8] + "\n" + text[8:]},
		"another alphabet": {box, "picker", "+/" + text[2:]},
		"plain text":       {box, "picker", "the request"},
	} {
		if plain, err := c.box.Open(c.purpose, c.text); !errors.Is(err, ErrOpen) || plain != nil {
			t.Errorf("%s: opened %q, error %v", name, plain, err)
		}
	}
}

func TestAnEmptyTextIsSealedToo(t *testing.T) {
	t.Parallel()
	box := New(bytes.Repeat([]byte{1}, 32))
	if plain, err := box.Open("p", box.Seal("p", nil)); err != nil || len(plain) != 0 {
		t.Errorf("opened %q, error %v", plain, err)
	}
}

func TestA107_AShortKeyIsNoKey(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a key of %d bytes is taken", n)
				}
			}()
			New(make([]byte, n))
		}()
	}
	New(bytes.Repeat([]byte{1}, 33))
}

func FuzzOpen(f *testing.F) {
	box := New(bytes.Repeat([]byte{1}, 32))
	f.Add(box.Seal("p", []byte("x")))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := box.Open("p", text)
		if err == nil && box.Seal("p", plain) == text {
			t.Error("sealed twice to the same text")
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	box := New(bytes.Repeat([]byte{1}, 32))
	plain := make([]byte, 500)
	for b.Loop() {
		if _, err := box.Open("p", box.Seal("p", plain)); err != nil {
			b.Fatal(err)
		}
	}
}
