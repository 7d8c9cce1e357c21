package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// decodeLoosely reads whatever can be read of a token: padding, other alphabets and duplicate members do not stop it. Its
// result is for the eye only.
func decodeLoosely(raw string) inspection {
	found := inspection{Unread: []string{}, Times: []timeWord{}, Trusts: []issuerMatch{}}
	parts := strings.Split(strings.TrimPrefix(raw, "Bearer "), ".")
	switch len(parts) {
	case 3:
		found.Form = "compact JWS (a signed JWT)"
	case 5:
		found.Form = "compact JWE (encrypted): only its header can be read, and this broker takes no encrypted tokens"
	default:
		found.Form = fmt.Sprintf("%d parts with dots between them; a compact JWS has 3", len(parts))
	}
	found.Header = found.part("header", parts[0])
	if len(parts) == 3 || len(parts) == 2 {
		found.Claims = found.part("claims", parts[1])
	}
	if len(parts) == 3 {
		signature, err := decode64(parts[2])
		if err != nil {
			found.Unread = append(found.Unread, "the signature: "+err.Error())
		}
		found.Signature = len(signature)
	}
	return found
}

// part decodes one part as JSON; nil if it is none.
func (i *inspection) part(name, text string) json.RawMessage {
	b, err := decode64(text)
	if err == nil && !json.Valid(b) {
		err = fmt.Errorf("not JSON (%d bytes)", len(b))
	}
	if err != nil {
		i.Unread = append(i.Unread, "the "+name+": "+err.Error())
		return nil
	}
	return b
}

// decode64 takes either alphabet of base64, padded or not.
func decode64(text string) ([]byte, error) {
	text = strings.NewReplacer("+", "-", "/", "_", "=", "", "\n", "", "\r", "", " ", "").Replace(text)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("not base64url: %w", err)
	}
	return b, nil
}

// writeJSONPart prints a part as it stands, repeated members too.
func writeJSONPart(w io.Writer, name string, part json.RawMessage) {
	if part == nil {
		return
	}
	var b bytes.Buffer
	if err := json.Indent(&b, part, "  ", "  "); err != nil {
		return // it was valid when it was decoded
	}
	fmt.Fprintf(w, "\n%s\n  %s\n", name, printableText(b.String()))
}

func takesWords(takes map[string][]string) string {
	if len(takes) == 0 {
		return "nothing in exchange"
	}
	var words []string
	for _, kind := range sortedKeys(takes) {
		words = append(words, kind+" for "+strings.Join(takes[kind], ", "))
	}
	return strings.TrimSuffix(strings.Join(words, "; "), " for ")
}
