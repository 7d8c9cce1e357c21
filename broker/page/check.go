package page

import (
	"io/fs"
	"regexp"
	"strings"
)

// TB is what CheckMessages needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// messageKey is a use of a message in a template.
var messageKey = regexp.MustCompile(`\bT "([^"]+)"`)

// CheckMessages is the test of a package that shows pages: every language has every message with the same arguments, every
// message that its templates (*.html anywhere in the folder) name exists, and its keys begin with prefix and a dot. Each package
// that embeds messages calls it.
func CheckMessages(t TB, folder fs.FS, prefix string) {
	t.Helper()
	folders := []fs.FS{files, folder}
	if prefix == "page" { // our own
		folders = folders[1:]
	}
	all, err := readMessages(folders)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	own := catalogue{}
	if err := own.merge(folder, Languages[0]); err != nil {
		t.Errorf("%v", err)
	}
	for key := range own {
		if !strings.HasPrefix(key, prefix+".") {
			t.Errorf("message %s: the keys of this package begin with %s.", key, prefix)
		}
	}
	for name, text := range templatesOf(t, folder) {
		for _, use := range messageKey.FindAllStringSubmatch(text, -1) {
			if _, ok := all[Languages[0]][use[1]]; !ok {
				t.Errorf("%s: no message %s", name, use[1])
			}
		}
	}
}

// templatesOf reads all templates of a folder.
func templatesOf(t TB, folder fs.FS) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".html") {
			return err
		}
		text, err := fs.ReadFile(folder, name)
		texts[name] = string(text)
		return err
	})
	if err != nil {
		t.Errorf("%v", err)
	}
	return texts
}
