package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// gorilla's own stores keep state in cookies or in files without fsync; ours is the store's.
func TestL33_GorillasOwnStoresAreNotUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	custom := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, banned := range []string{"sessions.NewCookie" + "Store", "sessions.NewFilesystem" + "Store"} {
			if strings.Contains(string(text), banned) {
				t.Errorf("%s uses %s", file, banned)
			}
		}
		custom = custom || strings.Contains(string(text), "var _ sessions.Store = (*cookieStore)(nil)")
	}
	if !custom {
		t.Error("no store of our own was found: the test looks in the wrong place")
	}
}
