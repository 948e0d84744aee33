package esign

// Spot is where a signature stands once found: points in the page's default user space
// (before /Rotate), lower left corner and size of the rectangle.
type Spot struct {
	Signature  string // the signature's name
	Page       int    // from 1
	X, Y, W, H float64
	Rotate     int    // the page's /Rotate normalised: 0, 90, 180, 270; the appearance is turned so that it is upright as displayed
	Field      string // the full name of an empty signature field that the place names and that is to be filled; empty: a new field
}
