package evidence

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// full is everything that a verdict needs.
func full() Set {
	var s Set
	for _, key := range []string{"idfrontside", "userface"} {
		s.Images = append(s.Images, Taken[Image]{What: Image{Key: key}})
	}
	for _, name := range []string{DocumentGenuine, FaceMatches, PersonPresent} {
		s.Checks = append(s.Checks, Check{Name: name, Passed: true})
	}
	return s
}

func TestEmptySetLacksEverything(t *testing.T) {
	want := []string{"idfrontside", "userface", "document_genuine", "face_matches", "person_present"}
	if diff := cmp.Diff(want, Set{}.Missing()); diff != "" {
		t.Error(diff)
	}
}

func TestFullSetLacksNothing(t *testing.T) {
	if missing := full().Missing(); len(missing) > 0 {
		t.Errorf("lacks %v", missing)
	}
}

func TestEachMandatoryPieceIsMissed(t *testing.T) {
	for n, image := range full().Images {
		s := full()
		s.Images = slices.Delete(s.Images, n, n+1)
		if diff := cmp.Diff([]string{image.What.Key}, s.Missing()); diff != "" {
			t.Error(diff)
		}
	}
	for n, check := range full().Checks {
		s := full()
		s.Checks = slices.Delete(s.Checks, n, n+1)
		if diff := cmp.Diff([]string{check.Name}, s.Missing()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAFailedCheckIsThereAllTheSame(t *testing.T) {
	s := full()
	s.Checks[0].Passed = false
	if missing := s.Missing(); len(missing) > 0 {
		t.Errorf("lacks %v: the verdict says what follows from a check that failed", missing)
	}
}

func TestOtherPiecesDoNotStandIn(t *testing.T) {
	s := Set{
		Images:     []Taken[Image]{{What: Image{Key: "idbackside"}}},
		Recordings: []Taken[Recording]{{What: Recording{Key: "userface"}}},
		Checks:     []Check{{Name: "another"}},
	}
	if got := len(s.Missing()); got != 5 {
		t.Errorf("lacks %d, want 5", got)
	}
}
