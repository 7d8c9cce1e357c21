package trust

import (
	"errors"
	"strconv"
	"strings"
)

// claimPath finds a claim. Text that starts with "/" is a JSON pointer (RFC 6901) into the claims; anything
// else is the exact name of a top-level claim, whatever it contains ("https://hmart.example/dept", "a.b").
type claimPath struct {
	text  string
	steps []string // at least one
}

// parseClaimPath checks and compiles a path.
func parseClaimPath(text string) (claimPath, error) {
	if text == "" {
		return claimPath{}, errors.New("the claim path is empty")
	}
	if text[0] != '/' {
		return claimPath{text: text, steps: []string{text}}, nil
	}
	steps := strings.Split(text[1:], "/")
	for i, s := range steps {
		step, err := unescapePointer(s)
		if err != nil {
			return claimPath{}, err
		}
		steps[i] = step
	}
	return claimPath{text: text, steps: steps}, nil
}

// unescapePointer decodes one reference token. RFC 6901 §4: "~1" first, then "~0", so that "~01" is "~1".
func unescapePointer(s string) (string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return "", errors.New(`in a JSON pointer "~" must be followed by 0 or 1`)
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~"), nil
}

// find looks the claim up. An explicit null is as good as absent.
func (p claimPath) find(claims map[string]any) (any, bool) {
	var at any = claims
	for _, step := range p.steps {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, ok := arrayIndex(step)
			if !ok || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, at != nil
}

// arrayIndex reads an array index. RFC 6901 §4: no leading zeros, no sign; "-" names no existing element.
func arrayIndex(s string) (int, bool) {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(s)
	return i, err == nil
}
