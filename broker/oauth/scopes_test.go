package oauth

import (
	"strings"
	"testing"
)

// A body of 64 KB with 14,000 different scopes used to cost a second of CPU, before the client was known and before the gate: each
// word was compared with all before it.
func TestA57_AFormWithTooManyScopesIsRefused(t *testing.T) {
	t.Parallel()
	words := make([]string, maxScopes+1)
	for i := range words {
		words[i] = "s" + strings.Repeat("x", i)
	}
	if _, err := ParseParams("scope=" + strings.Join(words, "+")); err == nil || !strings.Contains(err.Description, "scopes") {
		t.Errorf("error %v, want one about scopes", err)
	}
	p, err := ParseParams("scope=" + strings.Join(words[1:], "%20"))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Scopes()); got != maxScopes {
		t.Errorf("%d scopes, want %d", got, maxScopes)
	}
	if _, err := ParseParams("scope=" + strings.Repeat("+", maxScopes)); err == nil {
		t.Error("spaces alone are not counted")
	}
}
