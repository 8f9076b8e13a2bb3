"""Names and orders of the SMPL-X layout: 55 joints, 52 facial actions, and where each comes from in anny."""

_SIDES = ("left", "right")
_FINGERS = ("index", "middle", "pinky", "ring", "thumb")

BODY_JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
HAND_JOINTS = tuple(f"{side}_{finger}{k}" for side in _SIDES for finger in _FINGERS for k in (1, 2, 3))
JOINT_NAMES = (*BODY_JOINTS, "jaw", "left_eye_smplhf", "right_eye_smplhf", *HAND_JOINTS)

# The 52 facial actions of ARKit, in the order of the first 52 expression slots.
ACTIONS = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

_PARENT_NAMES = {
    "pelvis": None, "left_hip": "pelvis", "right_hip": "pelvis", "spine1": "pelvis", "left_knee": "left_hip",
    "right_knee": "right_hip", "spine2": "spine1", "left_ankle": "left_knee", "right_ankle": "right_knee",
    "spine3": "spine2", "left_foot": "left_ankle", "right_foot": "right_ankle", "neck": "spine3",
    "left_collar": "spine3", "right_collar": "spine3", "head": "neck", "left_shoulder": "left_collar",
    "right_shoulder": "right_collar", "left_elbow": "left_shoulder", "right_elbow": "right_shoulder",
    "left_wrist": "left_elbow", "right_wrist": "right_elbow", "jaw": "head", "left_eye_smplhf": "head",
    "right_eye_smplhf": "head",
}  # fmt: skip
for _side in _SIDES:
    for _finger in _FINGERS:
        _PARENT_NAMES[f"{_side}_{_finger}1"] = f"{_side}_wrist"
        _PARENT_NAMES[f"{_side}_{_finger}2"] = f"{_side}_{_finger}1"
        _PARENT_NAMES[f"{_side}_{_finger}3"] = f"{_side}_{_finger}2"
PARENTS = tuple(-1 if (p := _PARENT_NAMES[n]) is None else JOINT_NAMES.index(p) for n in JOINT_NAMES)

# MakeHuman bone whose head is the joint; bones not named here move with their nearest named ancestor.
# Its root bone sits behind the spine, so the pelvis is placed between the hips and the first vertebra.
BONE_OF_JOINT = {
    "pelvis": "root", "spine1": "spine04", "spine2": "spine02", "spine3": "spine01", "neck": "neck01",
    "head": "head", "jaw": "jaw", "left_eye_smplhf": "eye.L", "right_eye_smplhf": "eye.R",
}  # fmt: skip
for _side, _tag in (("left", ".L"), ("right", ".R")):
    BONE_OF_JOINT |= {
        f"{_side}_hip": "upperleg01" + _tag, f"{_side}_knee": "lowerleg01" + _tag, f"{_side}_ankle": "foot" + _tag,
        f"{_side}_foot": "toe3-1" + _tag, f"{_side}_collar": "clavicle" + _tag,
        f"{_side}_shoulder": "upperarm01" + _tag, f"{_side}_elbow": "lowerarm01" + _tag,
        f"{_side}_wrist": "wrist" + _tag,
    }  # fmt: skip
    for _finger, _number in (("thumb", 1), ("index", 2), ("middle", 3), ("ring", 4), ("pinky", 5)):
        for _k in (1, 2, 3):
            BONE_OF_JOINT[f"{_side}_{_finger}{_k}"] = f"finger{_number}-{_k}{_tag}"
