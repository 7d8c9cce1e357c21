package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// catalogue holds the messages of one language by key.
type catalogue map[string]string

// readMessages merges the messages of several folders, by language. Each language must have each key.
func readMessages(folders []fs.FS) (map[string]catalogue, error) {
	all := make(map[string]catalogue, len(Languages))
	for _, lang := range Languages {
		all[lang] = catalogue{}
	}
	var errs []error
	for _, folder := range folders {
		for _, lang := range Languages {
			errs = append(errs, all[lang].merge(folder, lang))
		}
	}
	for _, lang := range Languages[1:] {
		errs = append(errs, sameKeys(all[Languages[0]], all[lang], lang))
	}
	return all, errors.Join(errs...)
}

// merge adds the messages that a folder has in a language.
func (c catalogue) merge(folder fs.FS, lang string) error {
	name := "messages/" + lang + ".json"
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	if err := c.decode(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// decode reads one flat JSON object of strings. encoding/json would let the later of two equal keys win in silence.
func (c catalogue) decode(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		if err := c.add(key.(string), value); err != nil { // JSON: a member's name is a string
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

func (c catalogue) add(key string, value json.Token) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("%s is not text", key)
	}
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("%s is empty", key)
	}
	if _, twice := c[key]; twice {
		return fmt.Errorf("%s is defined twice", key)
	}
	c[key] = text
	return nil
}

// sameKeys says which keys one language has and another has not, and where their arguments differ.
func sameKeys(first, other catalogue, lang string) error {
	var errs []error
	for key, text := range first {
		translated, ok := other[key]
		if !ok {
			errs = append(errs, fmt.Errorf("messages: %s is missing in %s", key, lang))
		} else if arguments(text) != arguments(translated) {
			errs = append(errs, fmt.Errorf("messages: %s has other arguments in %s", key, lang))
		}
	}
	for key := range other {
		if _, ok := first[key]; !ok {
			errs = append(errs, fmt.Errorf("messages: %s is in %s only", key, lang))
		}
	}
	return errors.Join(errs...)
}

// maxArguments of a message: {0} to {8}.
const maxArguments = 9

// arguments is the set of placeholders of a text, as bits.
func arguments(text string) (set int) {
	for i := range maxArguments {
		if strings.Contains(text, "{"+strconv.Itoa(i)+"}") {
			set |= 1 << i
		}
	}
	return set
}

// fill puts arguments into a message. A value is never looked at for placeholders of its own.
func fill(text, lang string, args []any) string {
	if len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, 2*len(args))
	for i, a := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", show(a, lang))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func show(value any, lang string) string {
	switch v := value.(type) {
	case string:
		return Clean(v)
	case int:
		return number(v, lang)
	}
	return fmt.Sprint(value)
}

// number writes n as people who read lang do.
func number(n int, lang string) string {
	digits := strconv.Itoa(n)
	separator, from := ",", 4
	switch lang {
	case "de":
		separator = "."
	case "fr":
		separator = "\u202f"
	case "es": // RAE: no separator in four digits
		separator, from = "\u202f", 5
	}
	if n < 0 || len(digits) < from {
		return digits
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return b.String()
}
