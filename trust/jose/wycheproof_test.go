package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// vectors is a Wycheproof file of JOSE tests.
type vectors struct {
	TestGroups []struct {
		Comment string
		Public  json.RawMessage // a JWK or a JWK Set
		Private json.RawMessage
		Tests   []vector
	}
}

type vector struct {
	TcID     int
	Comment  string
	JWS, JWE json.RawMessage
	Result   string
}

func loadVectors(t *testing.T, file string) vectors {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "wycheproof", file))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// compactOf returns the token of a vector: the string, or the JSON text of a JSON serialisation.
func compactOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// verdict checks a vector as Parse and Verify do, short of Parse's demand that the payload be claims: these sign "foo".
func verdict(keys json.RawMessage, token string) error {
	if !bytes.Contains(keys, []byte(`"keys"`)) {
		keys = bytes.Join([][]byte{[]byte(`{"keys":[`), keys, []byte(`]}`)}, nil)
	}
	set, _, err := ParseJWKS(keys, nil)
	if err != nil {
		return err
	}
	jws, err := parseCompact(token)
	if err != nil {
		return err
	}
	err = errors.New("no key")
	for _, k := range set.Lookup(jws.header.Kid, jws.header.Alg) {
		if err = jws.verify(k); err == nil {
			return nil
		}
	}
	return err
}

const (
	symmetric = "HMAC: not an algorithm of ours, and the key is secret"
	es521     = `the key's alg is "ES521", which does not exist`
	otherAlg  = "the key is for PS256 alone, the token says PS384"
	emptyBody = "an empty payload is no token of ours"
)

// differences are the vectors that the file calls valid and we refuse, with the reason. There is none the other way round.
var differences = map[string]map[int]string{
	"json_web_signature_test.json": {
		1: symmetric, 348: symmetric, 352: symmetric,
		357: symmetric, 358: symmetric, 359: symmetric, 372: symmetric, 373: symmetric, 376: symmetric, 377: symmetric,
		259: emptyBody, 264: emptyBody, 268: emptyBody, 272: emptyBody, 320: emptyBody, 325: emptyBody,
		346: otherAlg, 350: otherAlg,
		347: es521, 351: es521,
	},
	"json_web_key_test.json":    {2: symmetric, 13: symmetric, 14: symmetric, 15: symmetric},
	"json_web_crypto_test.json": {1: symmetric, 48: symmetric},
}

func TestWycheproofSignaturesAndKeysAreJudgedAsListed(t *testing.T) {
	t.Parallel()
	for file, listed := range differences {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			ran := 0
			for _, g := range loadVectors(t, file).TestGroups {
				keys := g.Public
				if keys == nil {
					keys = g.Private
				}
				for _, v := range g.Tests {
					if v.JWE == nil {
						ran++
						judge(t, v, verdict(keys, compactOf(v.JWS)), listed[v.TcID])
					}
				}
			}
			t.Logf("%d vectors, %d differences", ran, len(listed))
			if ran < 26 {
				t.Errorf("only %d vectors ran", ran)
			}
		})
	}
}

func judge(t *testing.T, v vector, got error, reason string) {
	t.Helper()
	differs := (got == nil) != (v.Result == "valid")
	id := "tcId " + strconv.Itoa(v.TcID) + " " + v.Comment
	switch {
	case differs && reason == "":
		t.Errorf("%s: file says %s, we say %v, and it is not listed", id, v.Result, got)
	case differs && got == nil:
		t.Errorf("%s: accepted, though the file calls it %s; no reason can justify that", id, v.Result)
	case !differs && reason != "":
		t.Errorf("%s: listed as a difference (%s), but we agree with the file", id, reason)
	}
}

func TestWycheproofEncryptionIsNeverAJWS(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, file := range []string{"json_web_encryption_test.json", "json_web_crypto_test.json"} {
		for _, g := range loadVectors(t, file).TestGroups {
			for _, v := range g.Tests {
				if v.JWE == nil {
					continue
				}
				ran++
				if _, err := Parse(compactOf(v.JWE)); !errors.Is(err, ErrMalformed) {
					t.Errorf("%s tcId %d %s: got %v, want %v", file, v.TcID, v.Comment, err, ErrMalformed)
				}
			}
		}
	}
	if ran < 170 {
		t.Errorf("only %d vectors ran", ran)
	}
}
