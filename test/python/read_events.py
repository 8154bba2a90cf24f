"""
Reads the event files of a folder with TensorBoard's own reader, and prints as JSON: the scalars by tag as [step, value],
the hyper-parameters and how the run ended as the hparams plugin stores them, and the images.
"""

import json
import sys

from google.protobuf import json_format
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata

accumulator = event_accumulator.EventAccumulator(
    # 0 keeps all; the defaults keep a sample.
    sys.argv[1],
    size_guidance={event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0},
)
accumulator.Reload()
tags = accumulator.Tags()

hparams = {
    tag: json_format.MessageToDict(metadata.parse_session_start_info_plugin_data(content))
    if tag == metadata.SESSION_START_INFO_TAG
    else json_format.MessageToDict(metadata.parse_session_end_info_plugin_data(content))
    for tag, content in accumulator.PluginTagToContent(metadata.PLUGIN_NAME).items()
}
print(
    json.dumps(
        {
            "scalars": {
                tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
                for tag in tags["scalars"]
            },
            "hparams": hparams,
            "images": {
                tag: [
                    {
                        "step": event.step,
                        "width": event.width,
                        "height": event.height,
                        "begins": event.encoded_image_string[:6].decode("latin1"),
                        "bytes": len(event.encoded_image_string),
                    }
                    for event in accumulator.Images(tag)
                ]
                for tag in tags["images"]
            },
        }
    )
)
