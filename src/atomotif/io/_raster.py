"""PNG, JPEG and the like by Pillow; their dots per inch are a printer's and no calibration."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from atomotif.io._raw import RawImage


def read_raster(path: Path) -> RawImage:
    """Read an image, its colours and its frames as they are; a palette becomes its colours."""
    try:
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1)
            frames = [_pixels(image, index, count) for index in range(count)]
    except UnidentifiedImageError as error:
        raise ValueError("it is not an image that Pillow knows") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"it has too many pixels for a picture file ({error}); save it as TIFF") from error
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"it is truncated or corrupt ({error})") from error
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError("its frames differ in size")
    data = np.stack(frames) if len(frames) > 1 else frames[0]
    colour = ("channel",) if frames[0].ndim == 3 else ()
    return RawImage(data, ("frame",) * (len(frames) > 1) + ("y", "x") + colour)


def _pixels(image: Image.Image, index: int, count: int) -> NDArray[Any]:
    image.seek(index)
    if count > 1:  # the modes of the frames of an animation differ
        return np.asarray(image.convert("RGBA"))
    known = image.mode in ("1", "L", "LA", "RGB", "RGBA", "F", "I") or image.mode.startswith("I;16")
    return np.asarray(image if known else image.convert("RGBA"))
