package evidence

// Set is the evidence of one attempt, opened.
type Set struct {
	Readings   []Reading
	Images     []Taken[Image]
	Recordings []Taken[Recording]
	Checks     []Check
	Codes      []Code
	Answers    []Answer
	Last       int // the highest number of an item
}

// Taken is a picture or a recording with the item that says where its file lies.
type Taken[T any] struct {
	What T
	Item Item
}

// The checks that every method makes; a verdict needs them all, passed or not.
const (
	DocumentGenuine = "document_genuine" // its security features are as they should be
	FaceMatches     = "face_matches"     // the person is the one on the document
	PersonPresent   = "person_present"   // a living person, who acts freely
)

// mandatoryChecks and mandatoryImages are what a verdict rests on at least. A machine
// records no conversation.
var (
	mandatoryChecks = []string{DocumentGenuine, FaceMatches, PersonPresent}
	mandatoryImages = []string{"idfrontside", "userface"}
)

// Missing names the mandatory checks and images that the set lacks; none: it is complete.
func (s Set) Missing() []string {
	var missing []string
	for _, name := range mandatoryImages {
		if !s.hasImage(name) {
			missing = append(missing, name)
		}
	}
	for _, name := range mandatoryChecks {
		if !s.hasCheck(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

func (s Set) hasImage(key string) bool {
	for _, i := range s.Images {
		if i.What.Key == key {
			return true
		}
	}
	return false
}

func (s Set) hasCheck(name string) bool {
	for _, c := range s.Checks {
		if c.Name == name {
			return true
		}
	}
	return false
}
